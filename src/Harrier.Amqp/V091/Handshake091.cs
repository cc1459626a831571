using System.Net;
using System.Text;
using Harrier.Amqp.Transport.Sasl;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// The methods from connection.start to connection.open-ok (behaviour notes 1 to 11): who the client is, what was negotiated, which virtual host. Fed by the
/// connection's task; refusals are thrown.
/// </summary>
internal sealed class Handshake091(Connection091 connection, EndPoint? from)
{
    private readonly SaslMechanisms _mechanisms = new(connection.Broker.Users, forAmqp091: true);

    private Stage _stage = Stage.Starting;

    private enum Stage
    {
        Starting,
        Tuning,
        Opening,
        Open,
    }

    public ClientProperties Client { get; private set; } = ClientProperties.Unknown;

    /// <summary>Set once the virtual host is open.</summary>
    public ClientSession? Session { get; private set; }

    public User? User { get; private set; }

    public int FrameBytesMax { get; private set; }

    public int ChannelsMax { get; private set; }

    /// <summary>Used as the client answered it, not the smaller of two (note 8).</summary>
    public int HeartbeatSeconds { get; private set; }

    /// <summary>Why a login was refused; for the log only.</summary>
    public LoginFailure LoginFailure { get; private set; }

    /// <summary>The name of the stage, as RabbitMQ's error texts call it.</summary>
    public string StageName => _stage.ToString().ToLowerInvariant();

    /// <summary>Sends connection.start.</summary>
    public void Start() => connection.Output.WriteMethod(0, new ConnectionStart
    {
        VersionMajor = 0,
        VersionMinor = 9,
        ServerProperties = connection.ServerProperties,
        Mechanisms = Encoding.ASCII.GetBytes(string.Join(' ', _mechanisms.Names)),
        Locales = "en_US"u8,
    });

    /// <summary>Deals with a method of channel 0; true when the connection is open by it.</summary>
    public bool OnMethod(AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        switch (_stage, method)
        {
            case (Stage.Starting, AmqpMethod.ConnectionStartOk): OnStartOk(ConnectionStartOk.Decode(arguments)); return false;
            case (Stage.Tuning, AmqpMethod.ConnectionTuneOk): OnTuneOk(ConnectionTuneOk.Decode(arguments)); return false;
            case (Stage.Opening, AmqpMethod.ConnectionOpen): OnOpen(ConnectionOpen.Decode(arguments)); return true;
            default: throw ErrorCatalogue.UnexpectedHandshakeMethod(StageName);
        }
    }

    private void OnStartOk(in ConnectionStartOk method)
    {
        Client = ClientProperties.Read(method.ClientProperties);
        string mechanism = Encoding.UTF8.GetString(method.Mechanism);
        if (!_mechanisms.TryBegin(mechanism, from, out ISaslMechanism? login)) throw ErrorCatalogue.UnknownMechanism(mechanism);
        User = LoggedIn(mechanism, login.Next(method.Response));
        ConnectionLimits limits = connection.Limits;
        connection.Output.WriteMethod(0, new ConnectionTune
        {
            ChannelMax = (ushort)limits.ChannelsMax,
            FrameMax = (uint)limits.FrameBytesMax,
            Heartbeat = (ushort)limits.HeartbeatSeconds,
        });
        _stage = Stage.Tuning;
    }

    // No mechanism of 0-9-1 asks back, so connection.secure is never sent.
    private User LoggedIn(string mechanism, SaslStep step)
    {
        if (step is SaslStep.Done done) return done.User;
        if (step is not SaslStep.Failed failed) throw ErrorCatalogue.MalformedSaslResponse(mechanism);
        LoginFailure = failed.Failure;
        throw ErrorCatalogue.LoginRefused(mechanism);
    }

    private void OnTuneOk(in ConnectionTuneOk method)
    {
        ConnectionLimits limits = connection.Limits;
        connection.FailingMethod = AmqpMethod.ConnectionTune; // the offer, not the answer, is what clients are told about (note 7)
        AssertNotHigher("channel_max", method.ChannelMax, limits.ChannelsMax);
        AssertNotHigher("frame_max", method.FrameMax, limits.FrameBytesMax);
        if (method.FrameMax < limits.FrameBytesMin) throw ErrorCatalogue.NegotiatedTooLow("frame_max", method.FrameMax, limits.FrameBytesMin);
        (FrameBytesMax, ChannelsMax, HeartbeatSeconds) = ((int)method.FrameMax, method.ChannelMax, method.Heartbeat);
        _stage = Stage.Opening;
    }

    private void OnOpen(in ConnectionOpen method)
    {
        if (connection.IsBeyondLimit) throw ErrorCatalogue.ConnectionLimit(connection.Limits.ConnectionsMax);
        string name = Encoding.UTF8.GetString(method.VirtualHost);
        if (!connection.Broker.TryFindVirtualHost(name, out VirtualHost? virtualHost)) throw ErrorCatalogue.VirtualHostNotFound(name);
        if (!User!.Permissions.ContainsKey(name)) throw ErrorCatalogue.VirtualHostRefused(name, User.Name);
        Session = new ClientSession(User, virtualHost);
        connection.Output.WriteMethod(0, new ConnectionOpenOk());
        _stage = Stage.Open;
    }

    // 0 means "no limit" and is more than any limit (note 7).
    private static void AssertNotHigher(string field, uint value, int max)
    {
        if (max > 0 && (value == 0 || value > (uint)max)) throw ErrorCatalogue.NegotiatedTooHigh(field, value, max);
    }
}
