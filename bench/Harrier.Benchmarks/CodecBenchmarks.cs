using BenchmarkDotNet.Attributes;
using Harrier.Protocol.Amqp091;

namespace Harrier.Benchmarks;

/// <summary>The three frames of a publish, read; and a deliver frame, written.</summary>
public class CodecBenchmarks
{
    private readonly byte[] _publish = new byte[256];
    private readonly byte[] _output = new byte[256];
    private readonly byte[] _consumerTag = "amq.ctag-0123456789abcdefghijkl"u8.ToArray();
    private readonly byte[] _routingKey = "some.routing.key"u8.ToArray();
    private readonly byte[] _table = new FieldTableWriter().Add("one", 1).Add("two", "text").Add("three", true).Written.ToArray();
    private int _publishSize;

    [GlobalSetup]
    public void SetUp()
    {
        var method = new BasicPublish { RoutingKey = _routingKey };
        int at = FrameWriter.WriteMethod(_publish, 1, in method);
        var writer = new WireWriter(_publish.AsSpan(at + Frame.HeaderSize));
        ContentHeader.Write(ref writer, 16, [0x10, 0, 1]);
        at += FrameWriter.Close(_publish.AsSpan(at), FrameType.Header, 1, writer.Position);
        _publishSize = at + FrameWriter.Close(_publish.AsSpan(at), FrameType.Body, 1, 16);
    }

    [Benchmark]
    public int ReadPublish()
    {
        ReadOnlySpan<byte> buffer = _publish.AsSpan(0, _publishSize);
        FrameReader.TryRead(ref buffer, 131_072, out Frame method);
        int sum = BasicPublish.Decode(method.Payload[4..]).RoutingKey.Length;
        FrameReader.TryRead(ref buffer, 131_072, out Frame header);
        sum += (int)ContentHeader.Read(header.Payload).BodySize;
        FrameReader.TryRead(ref buffer, 131_072, out Frame body);
        return sum + body.Payload.Length;
    }

    [Benchmark]
    public int WriteDeliver() =>
        FrameWriter.WriteMethod(_output, 1, new BasicDeliver { ConsumerTag = _consumerTag, DeliveryTag = 42, RoutingKey = _routingKey });

    [Benchmark]
    public void ValidateTable() => FieldTableReader.Validate(_table);
}
