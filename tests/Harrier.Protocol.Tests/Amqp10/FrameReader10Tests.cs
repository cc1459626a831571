using System.Buffers;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Frames are found wherever the transport cuts them, and what is no frame is refused as soon as its header is there.</summary>
public sealed class FrameReader10Tests
{
    private const int SizeMax = 4096;

    /// <summary>Whole frames, written by hand from 1.0 part 2, section 2.3.</summary>
    public static TheoryData<string, string, int, string> Frames => new()
    {
        { "sign of life", "00000008 02000000", 0, "" },
        { "begin on channel 258", "00000017 02000102 005311C00A0440700000000143520A", 258, "005311C00A0440700000000143520A" },
        { "sasl outcome", "00000010 02010000 005344C003015000", 0, "005344C003015000" },
        { "extended header", "0000000D 03000007 DEADBEEF 45", 7, "45" },
        { "nothing but an extended header", "0000000C 0300FFFF DEADBEEF", 65_535, "" },
        { "largest body offset", "000003FD FF000000" + new string('E', 2 * 1012) + "45", 0, "45" },
    };

    [Theory, MemberData(nameof(Frames))]
    public void A_whole_frame_is_read_and_taken_off_the_buffer(string name, string hex, int channel, string bodyInHex)
    {
        byte[] bytes = Bytes(hex);
        ReadOnlySpan<byte> buffer = bytes;
        FrameReader10.TryRead(ref buffer, SizeMax, out Frame10 frame).ShouldBeTrue(name);
        buffer.IsEmpty.ShouldBeTrue();
        AssertIs(bytes, channel, bodyInHex, frame);
    }

    [Theory, MemberData(nameof(Frames))]
    public void What_follows_a_frame_stays_in_the_buffer(string name, string hex, int channel, string bodyInHex)
    {
        byte[] bytes = Bytes(hex);
        ReadOnlySpan<byte> buffer = (byte[])[.. bytes, .. bytes, 0x01];
        for (int i = 0; i < 2; i++)
        {
            FrameReader10.TryRead(ref buffer, SizeMax, out Frame10 frame).ShouldBeTrue(name);
            AssertIs(bytes, channel, bodyInHex, frame);
        }
        FrameReader10.TryRead(ref buffer, SizeMax, out _).ShouldBeFalse();
        buffer.Length.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Frames))]
    public void A_frame_that_is_cut_at_any_byte_is_not_read_and_nothing_is_taken(string name, string hex, int channel, string bodyInHex)
    {
        byte[] bytes = Bytes(hex);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            ReadOnlySpan<byte> buffer = bytes.AsSpan(0, cut);
            FrameReader10.TryRead(ref buffer, SizeMax, out Frame10 frame).ShouldBeFalse($"{name} {channel} {bodyInHex}");
            frame.Body.IsEmpty.ShouldBeTrue();
            buffer.Length.ShouldBe(cut);
            FrameReader10.CompleteSize(new ReadOnlySequence<byte>(bytes, 0, cut), SizeMax).ShouldBe(0);
        }
    }

    [Theory, MemberData(nameof(Frames))]
    public void The_size_is_known_wherever_two_segments_meet(string name, string hex, int channel, string bodyInHex)
    {
        byte[] frame = Bytes(hex);
        byte[] bytes = [.. frame, .. Bytes("00000008 02000000")];
        for (int split = 0; split <= bytes.Length; split++)
        {
            ReadOnlySequence<byte> sequence = Segments.Of(bytes.AsMemory(0, split), bytes.AsMemory(split));
            FrameReader10.CompleteSize(in sequence, SizeMax).ShouldBe(frame.Length, $"{name} {channel} {bodyInHex}");
        }
    }

    [Theory, MemberData(nameof(Frames))]
    public void The_size_is_known_when_every_byte_is_a_segment(string name, string hex, int channel, string bodyInHex)
    {
        byte[] bytes = Bytes(hex);
        for (int count = 0; count <= bytes.Length; count++)
        {
            ReadOnlySequence<byte> sequence = Segments.OfSingleOctets(bytes.AsMemory(0, count));
            FrameReader10.CompleteSize(in sequence, SizeMax).ShouldBe(count == bytes.Length ? count : 0, $"{name} {channel} {bodyInHex}");
        }
    }

    [Theory]
    [InlineData(8, 512)]
    [InlineData(511, 512)]
    [InlineData(512, 512)]
    [InlineData(4096, 4096)]
    [InlineData(4096, int.MaxValue)]
    public void A_frame_up_to_the_limit_is_read(int size, int sizeMax)
    {
        byte[] bytes = [.. ReferenceValues.Number((ulong)size, 4), 2, 0, 0, 0, .. new byte[size - 8]];
        ReadOnlySpan<byte> buffer = bytes;
        FrameReader10.TryRead(ref buffer, sizeMax, out Frame10 frame).ShouldBeTrue();
        frame.Body.Length.ShouldBe(size - 8);
    }

    [Theory]
    [InlineData(513, 512)]
    [InlineData(int.MaxValue, 4096)]
    [InlineData(0x8000_0000, 4096)]
    [InlineData(0x8000_0000, int.MaxValue)]
    [InlineData(uint.MaxValue, 4096)]
    [InlineData(uint.MaxValue, int.MaxValue)]
    public void A_larger_one_is_refused_as_soon_as_its_header_is_there(uint size, int sizeMax) =>
        AssertRefused([.. ReferenceValues.Number(size, 4), 2, 0, 0, 0], sizeMax, $"frame size ({size} bytes) > maximum frame size ({sizeMax} bytes)");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 2)]
    [InlineData(7, 2)] // smaller than its header
    [InlineData(8, 0)]
    [InlineData(8, 1)] // the body would begin in the header
    [InlineData(8, 3)] // behind the end
    [InlineData(11, 3)]
    [InlineData(1019, 255)]
    public void A_body_that_is_not_in_the_frame_is_refused(int size, byte offset) =>
        AssertRefused([.. ReferenceValues.Number((ulong)size, 4), offset, 0, 0, 0], SizeMax, $"a frame of {size} bytes has its body at {offset * 4}");

    [Fact]
    public void An_unknown_type_is_refused()
    {
        for (int type = 2; type < 256; type++) AssertRefused([0, 0, 0, 8, 2, (byte)type, 0, 0], SizeMax, $"there is no frame type {type}");
    }

    [Fact]
    public void A_frame_of_the_largest_size_there_is_only_waits_for_the_rest()
    {
        byte[] header = [0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0];
        TryRead(header, int.MaxValue).ShouldBeFalse();
        FrameReader10.CompleteSize(new ReadOnlySequence<byte>(header), int.MaxValue).ShouldBe(0);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static bool TryRead(byte[] bytes, int sizeMax)
    {
        ReadOnlySpan<byte> buffer = bytes;
        return FrameReader10.TryRead(ref buffer, sizeMax, out _);
    }

    private static void AssertRefused(byte[] header, int sizeMax, string text)
    {
        for (int cut = 0; cut < header.Length; cut++) TryRead(header[..cut], sizeMax).ShouldBeFalse();
        Should.Throw<FramingException>(() => TryRead(header, sizeMax)).Message.ShouldBe(text);
        Should.Throw<FramingException>(() => FrameReader10.CompleteSize(Segments.OfSingleOctets(header), sizeMax)).Message.ShouldBe(text);
    }

    private static void AssertIs(byte[] bytes, int channel, string bodyInHex, Frame10 frame)
    {
        ((byte)frame.Type).ShouldBe(bytes[5]);
        frame.Channel.ShouldBe((ushort)channel);
        Convert.ToHexString(frame.Body).ShouldBe(bodyInHex);
    }
}
