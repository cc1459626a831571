using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>What a client says to attach links. Names are those of their handles unless a test says otherwise.</summary>
public static class Links10
{
    /// <summary>A link to an address of the server, or to its anonymous terminus.</summary>
    public static Attach Sender(uint handle, string? address) => Sender(handle, Encoded10.Target(address));

    /// <summary>A link to any target.</summary>
    public static Attach Sender(uint handle, byte[] target) => new()
    {
        Name = Encoding.UTF8.GetBytes($"to-{handle}"),
        Handle = handle,
        Role = Role.Sender,
        Source = Encoded10.Composite(new Source()),
        Target = target,
        InitialDeliveryCount = 0,
    };

    /// <summary>A link from an address of the server.</summary>
    public static Attach Receiver(uint handle, string address) => Receiver(handle, Encoded10.Source(address));

    /// <summary>A link from any source.</summary>
    public static Attach Receiver(uint handle, byte[] source) => new()
    {
        Name = Encoding.UTF8.GetBytes($"from-{handle}"),
        Handle = handle,
        Role = Role.Receiver,
        Source = source,
        Target = Encoded10.Composite(new Target()),
    };

    /// <summary>A link to the coordinator of transactions.</summary>
    public static Attach ToCoordinator(uint handle) => Sender(handle, Encoded10.Composite(new Coordinator()));
}
