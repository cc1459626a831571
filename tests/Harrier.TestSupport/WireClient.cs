using System.Buffers;
using System.IO.Pipelines;

namespace Harrier.TestSupport;

/// <summary>
/// The client's end of an in-memory connection: bytes go out, and come in until the stream ends. Time-outs are only a safety net. Owned by one test.
/// </summary>
public abstract class WireClient(MemoryTransport transport, Task served)
{
    private bool _hasLeft;

    /// <summary>Ends when the server has done with this connection.</summary>
    public Task Served { get; } = served;

    /// <summary>Sends every byte on its own; the server sees one, then the next.</summary>
    public bool SendsByteByByte { get; set; }

    protected PipeReader Input => transport.Input;

    /// <summary>Sends bytes. Ends when the server has looked at all of them.</summary>
    public async Task SendBytes(ReadOnlyMemory<byte> bytes)
    {
        int step = SendsByteByByte ? 1 : int.MaxValue;
        while (!bytes.IsEmpty)
        {
            int left = Math.Min(step, bytes.Length);
            while (left > 0)
            {
                Memory<byte> memory = transport.Output.GetMemory(1);
                int count = Math.Min(left, memory.Length);
                bytes[..count].CopyTo(memory);
                transport.Output.Advance(count);
                bytes = bytes[count..];
                left -= count;
            }
            FlushResult flushed = await transport.Output.FlushAsync().AsTask().WaitAsync(TestServer.SafetyNet);
            if (flushed.IsCompleted) return; // the server has gone; what the test expects next will tell
        }
    }

    /// <summary>Closes the client's half of the stream.</summary>
    public void EndInput() => transport.Output.Complete();

    /// <summary>Is gone, without a word. What the server still sends is lost.</summary>
    public void Leave()
    {
        if (_hasLeft) return;
        _hasLeft = true;
        transport.Output.Complete();
        transport.Input.Complete();
    }

    /// <summary>Everything from here to the end of the stream, as bytes.</summary>
    public async Task<byte[]> ReceiveAllBytes()
    {
        var received = new List<byte>();
        while (true)
        {
            ReadResult read = await ReadAsync();
            received.AddRange(read.Buffer.ToArray());
            Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return [.. received];
        }
    }

    /// <summary>Whatever has come, and waits when nothing has.</summary>
    protected async Task<ReadResult> ReadAsync()
    {
        try
        {
            return await Input.ReadAsync().AsTask().WaitAsync(TestServer.SafetyNet);
        }
        catch (TimeoutException e)
        {
            throw new WireScriptException($"Nothing came for {TestServer.SafetyNet.TotalSeconds} s.", e);
        }
    }
}
