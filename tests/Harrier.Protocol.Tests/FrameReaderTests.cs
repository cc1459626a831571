using System.Buffers;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Frames are found wherever the transport cuts them, and what is no frame is refused as early as it shows.</summary>
public sealed class FrameReaderTests
{
    private const int PayloadMax = 4096;

    public static TheoryData<string> Vectors => GoldenVectors.Names();

    [Theory, MemberData(nameof(Vectors))]
    public void A_whole_frame_is_read_and_taken_off_the_buffer(string name)
    {
        byte[] bytes = GoldenVectors.Frame(name);
        ReadOnlySpan<byte> buffer = bytes;
        FrameReader.TryRead(ref buffer, PayloadMax, out Frame frame).ShouldBeTrue();
        buffer.IsEmpty.ShouldBeTrue();
        AssertIs(bytes, frame);
    }

    [Theory, MemberData(nameof(Vectors))]
    public void What_follows_a_frame_stays_in_the_buffer(string name)
    {
        byte[] first = GoldenVectors.Frame(name), second = GoldenVectors.Frame("heartbeat");
        ReadOnlySpan<byte> buffer = (byte[])[.. first, .. second, 0x01];
        FrameReader.TryRead(ref buffer, PayloadMax, out Frame frame).ShouldBeTrue();
        AssertIs(first, frame);
        FrameReader.TryRead(ref buffer, PayloadMax, out frame).ShouldBeTrue();
        AssertIs(second, frame);
        FrameReader.TryRead(ref buffer, PayloadMax, out _).ShouldBeFalse();
        buffer.Length.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Vectors))]
    public void A_frame_that_is_cut_at_any_octet_is_not_read_and_nothing_is_taken(string name)
    {
        byte[] bytes = GoldenVectors.Frame(name);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            ReadOnlySpan<byte> buffer = bytes.AsSpan(0, cut);
            FrameReader.TryRead(ref buffer, PayloadMax, out _).ShouldBeFalse();
            buffer.Length.ShouldBe(cut);
            FrameReader.CompleteSize(new ReadOnlySequence<byte>(bytes, 0, cut), PayloadMax).ShouldBe(0);
        }
    }

    [Theory, MemberData(nameof(Vectors))]
    public void The_size_is_known_wherever_two_segments_meet(string name)
    {
        byte[] frame = GoldenVectors.Frame(name);
        byte[] bytes = [.. frame, .. GoldenVectors.Frame("heartbeat")];
        for (int split = 0; split <= bytes.Length; split++)
        {
            ReadOnlySequence<byte> sequence = Segments.Of(bytes.AsMemory(0, split), bytes.AsMemory(split));
            FrameReader.CompleteSize(in sequence, PayloadMax).ShouldBe(frame.Length);
        }
    }

    [Theory, MemberData(nameof(Vectors))]
    public void The_size_is_known_when_every_octet_is_a_segment(string name)
    {
        byte[] bytes = GoldenVectors.Frame(name);
        for (int count = 0; count <= bytes.Length; count++)
        {
            ReadOnlySequence<byte> sequence = Segments.OfSingleOctets(bytes.AsMemory(0, count));
            FrameReader.CompleteSize(in sequence, PayloadMax).ShouldBe(count == bytes.Length ? count : 0);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(4096, 4096)]
    [InlineData(4096, 65_536)]
    public void A_payload_up_to_the_limit_is_read(int size, int payloadMax)
    {
        byte[] bytes = BodyFrame(size);
        ReadOnlySpan<byte> buffer = bytes;
        FrameReader.TryRead(ref buffer, payloadMax, out Frame frame).ShouldBeTrue();
        frame.Payload.Length.ShouldBe(size);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4097, 4096)]
    [InlineData(int.MaxValue, 4096)]
    [InlineData(0x8000_0000, 4096)]
    [InlineData(uint.MaxValue, 4096)]
    [InlineData(uint.MaxValue, int.MaxValue)]
    public void A_larger_one_is_refused_as_soon_as_its_size_is_there(uint size, int payloadMax)
    {
        byte[] header = new ReferenceWriter().Octet(3).Short(1).Long(size).ToArray();
        AssertRefused(header, payloadMax, $"type 3: {{frame_too_large,{size},{payloadMax}}}");
    }

    [Fact]
    public void An_unknown_type_is_refused_as_soon_as_the_header_is_there()
    {
        byte[] known = [1, 2, 3, 8];
        foreach (byte type in Enumerable.Range(0, 256).Select(t => (byte)t).Except(known))
            AssertRefused(new ReferenceWriter().Octet(type).Short(0).Long(0).ToArray(), PayloadMax, $"type {type}: unknown_frame");
    }

    [Fact]
    public void Any_other_end_octet_is_refused()
    {
        for (int end = 0; end < 256; end++)
        {
            if (end == Frame.End) continue;
            byte[] bytes = [.. BodyFrame(3)[..^1], (byte)end];
            var e = Should.Throw<AmqpProtocolException>(() => TryRead(bytes, PayloadMax));
            e.Code.ShouldBe(ReplyCode.FrameError);
            e.Message.ShouldBe("type 3: {invalid_frame_end_marker}");
        }
    }

    [Fact]
    public void A_frame_of_the_largest_size_there_is_only_waits_for_the_rest()
    {
        byte[] header = new ReferenceWriter().Octet(3).Short(1).Long(int.MaxValue).ToArray();
        TryRead(header, int.MaxValue).ShouldBeFalse();
        FrameReader.CompleteSize(new ReadOnlySequence<byte>(header), int.MaxValue).ShouldBe(0);
    }

    private static byte[] BodyFrame(int size) =>
        new ReferenceWriter().Octet(3).Short(1).Long((uint)size).Raw(new byte[size]).Octet(Frame.End).ToArray();

    private static bool TryRead(byte[] bytes, int payloadMax)
    {
        ReadOnlySpan<byte> buffer = bytes;
        return FrameReader.TryRead(ref buffer, payloadMax, out _);
    }

    private static void AssertRefused(byte[] header, int payloadMax, string text)
    {
        for (int cut = 0; cut < header.Length; cut++) TryRead(header[..cut], payloadMax).ShouldBeFalse();
        var e = Should.Throw<AmqpProtocolException>(() => TryRead(header, payloadMax));
        e.Code.ShouldBe(ReplyCode.FrameError);
        e.Message.ShouldBe(text);
        e = Should.Throw<AmqpProtocolException>(() => FrameReader.CompleteSize(Segments.OfSingleOctets(header), payloadMax));
        e.Code.ShouldBe(ReplyCode.FrameError);
    }

    private static void AssertIs(ReadOnlySpan<byte> bytes, Frame frame)
    {
        ((byte)frame.Type).ShouldBe(bytes[0]);
        frame.Channel.ShouldBe((ushort)(bytes[1] << 8 | bytes[2]));
        frame.Payload.SequenceEqual(bytes[7..^1]).ShouldBeTrue();
    }
}
