using System.Text;

namespace Harrier.Amqp.Tests;

/// <summary>One header as it stands in a message, and as text: the name, the type octet and the value.</summary>
internal sealed record Header(string Name, string Text, byte[] Bytes)
{
    public override string ToString() => $"{Name}={Text}";
}

/// <summary>A property section as a test reads it: octet by octet, without the code under test.</summary>
internal sealed class PropertySection
{
    private const int HeadersBit = 13;
    private const int ExpirationBit = 8;

    private readonly byte[] _bytes;
    private int _at;

    private PropertySection(byte[] bytes) => _bytes = bytes;

    /// <summary>Every property but the headers and the expiration: the number of its flag, and its bytes.</summary>
    public List<string> Others { get; } = [];

    public bool HasExpiration { get; private set; }

    /// <summary>Null when there is no headers property.</summary>
    public List<Header>? Headers { get; private set; }

    public string[] HeaderTexts => [.. (Headers ?? []).Select(h => h.ToString())];

    /// <summary>Fails unless the bytes are one section and nothing else.</summary>
    public static PropertySection Read(ReadOnlySpan<byte> bytes)
    {
        var section = new PropertySection(bytes.ToArray());
        section.Read();
        section._at.ShouldBe(bytes.Length);
        return section;
    }

    /// <summary>The texts of the headers of that name.</summary>
    public string[] Find(string name) => [.. (Headers ?? []).Where(h => h.Name == name).Select(h => h.Text)];

    private void Read()
    {
        long flags = Number(2);
        for (int bit = 15; bit >= 0; bit--)
        {
            if ((flags >> bit & 1) == 0) continue;
            int begin = _at;
            switch (bit)
            {
                case HeadersBit: Headers = [.. Fields()]; continue;
                case 12 or 11: _at++; break;
                case 6: _at += 8; break;
                default: Take((int)Number(1)); break;
            }
            if (bit == ExpirationBit) HasExpiration = true;
            else Others.Add($"{bit}: {Convert.ToHexString(_bytes[begin.._at])}");
        }
    }

    private List<Header> Fields()
    {
        int end = Length();
        var fields = new List<Header>();
        while (_at < end)
        {
            int begin = _at;
            string name = Encoding.Latin1.GetString(Take((int)Number(1)));
            string text = Value();
            fields.Add(new Header(name, text, _bytes[begin.._at]));
        }
        _at.ShouldBe(end);
        return fields;
    }

    private string Items()
    {
        int end = Length();
        var items = new List<string>();
        while (_at < end) items.Add(Value());
        _at.ShouldBe(end);
        return $"[{string.Join(", ", items)}]";
    }

    private string Value()
    {
        char type = (char)Number(1);
        return type + " " + type switch
        {
            'S' => Encoding.Latin1.GetString(Take((int)Number(4))),
            'x' => Convert.ToHexString(Take((int)Number(4))),
            'A' => Items(),
            'F' => $"{{{string.Join(", ", Fields())}}}",
            't' or 'b' => $"{(sbyte)Number(1)}",
            'B' => $"{Number(1)}",
            's' => $"{(short)Number(2)}",
            'u' => $"{Number(2)}",
            'I' => $"{(int)Number(4)}",
            'i' => $"{Number(4)}",
            'l' or 'L' or 'T' => $"{Number(8)}",
            'f' => Convert.ToHexString(Take(4)),
            'D' => Convert.ToHexString(Take(5)),
            'd' => Convert.ToHexString(Take(8)),
            'V' => "",
            _ => throw new ArgumentException($"no field type {type}"),
        };
    }

    private int Length()
    {
        int length = (int)Number(4);
        return _at + length;
    }

    private long Number(int size)
    {
        long number = 0;
        foreach (byte octet in Take(size)) number = number << 8 | octet;
        return number;
    }

    private byte[] Take(int size)
    {
        byte[] taken = _bytes[_at..(_at + size)];
        _at += size;
        return taken;
    }
}
