using System.Net;
using System.Text;
using Harrier.Amqp.Transport;
using Harrier.Amqp.Transport.Sasl;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;
using Microsoft.Extensions.Logging;

namespace Harrier.Amqp.V10;

/// <summary>
/// What comes before the first session: SASL (1.0 part 5, section 5.3), the second protocol header, the open performatives. Fed by the connection's task.
/// </summary>
internal sealed class Handshake10(Connection10 connection, AmqpServer server, EndPoint? from, bool withSasl)
{
    // Announced is half of what is meant (behaviour note 108): a peer that is late by as much again is forgiven.
    private const uint IdleTimeOutMsMin = 1000;

    private readonly Transport.Sasl.SaslMechanisms _mechanisms = new(connection.Broker.Users, forAmqp091: false);
    private ISaslMechanism? _mechanism;
    private User? _user;
    private bool _isOpened;

    /// <summary>Set once the virtual host is open.</summary>
    public ClientSession? Session { get; private set; }

    public string ContainerId { get; private set; } = "";

    /// <summary>Bytes of the largest frame that the peer takes.</summary>
    public int PeerFrameBytesMax { get; private set; } = Frame10.SizeMin;

    /// <summary>Whether SASL frames are due.</summary>
    public bool ExpectsSasl { get; private set; }

    /// <summary>Whether the header is due with which AMQP begins after SASL.</summary>
    public bool ExpectsHeader { get; private set; }

    /// <summary>Answers the header that has come; false when nothing more will be said.</summary>
    public bool Start()
    {
        if (!withSasl) return StartWithoutSasl();
        Write(ProtocolHeader.Sasl10);
        FrameWriter10.Write(
            connection.Output, 0, new Protocol.Amqp10.SaslMechanisms { SaslServerMechanisms = Values10.Symbols([.. _mechanisms.Names]) }, FrameType10.Sasl);
        ExpectsSasl = true;
        return true;
    }

    /// <summary>Takes the header after SASL; false when it is another one.</summary>
    public bool TakeHeader(ReadOnlySpan<byte> header)
    {
        bool isRight = header.SequenceEqual(ProtocolHeader.Amqp10);
        Write(ProtocolHeader.Amqp10); // to who speaks something else it says what is spoken here
        ExpectsHeader = false;
        return isRight;
    }

    /// <summary>Takes a SASL frame; false when the connection is over by it.</summary>
    public bool TakeSasl(in Frame10 frame, ILogger log, string name)
    {
        if (!ExpectsSasl || frame.Type != FrameType10.Sasl) throw AmqpErrors.Framing("a frame of this type is not expected now");
        var reader = new ValueReader(frame.Body);
        SaslStep step;
        switch (reader.ReadDescriptor())
        {
            case SaslInit.Code when _mechanism is null:
                SaslInit init = SaslInit.Decode(ref reader);
                if (!_mechanisms.TryBegin(Encoding.ASCII.GetString(init.Mechanism), from, out _mechanism))
                {
                    WriteOutcome(SaslCode.Auth);
                    return false;
                }
                step = _mechanism.Next(init.InitialResponse);
                break;
            case SaslResponse.Code when _mechanism is not null: step = _mechanism.Next(SaslResponse.Decode(ref reader).Response); break;
            default: throw AmqpErrors.Framing("a frame of this type is not expected now");
        }
        return Take(step, log, name);
    }

    /// <summary>Takes the peer's open and answers it. Refusals are thrown.</summary>
    public void OnOpen(in Open open)
    {
        ContainerId = Encoding.UTF8.GetString(open.ContainerId);
        if (open.MaxFrameSize < Frame10.SizeMin)
            throw AmqpErrors.InvalidField(AmqpErrorScope.Connection, $"max-frame-size {open.MaxFrameSize} is less than {Frame10.SizeMin}");
        if (open.IdleTimeOut is > 0 and < IdleTimeOutMsMin)
            throw AmqpErrors.InvalidField(AmqpErrorScope.Connection, $"idle-time-out {open.IdleTimeOut} ms is less than {IdleTimeOutMsMin} ms");
        PeerFrameBytesMax = (int)Math.Min(open.MaxFrameSize, (uint)connection.Limits.FrameBytesMax);
        if (connection.IsBeyondLimit) throw AmqpErrors.ConnectionLimit(connection.Limits.ConnectionsMax);
        Session = new ClientSession(_user!, FindVirtualHost(Encoding.UTF8.GetString(open.Hostname)));
        EnsureOpened();
    }

    /// <summary>Writes our open, unless it was written.</summary>
    public void EnsureOpened()
    {
        if (_isOpened) return;
        _isOpened = true;
        if (withSasl && (ExpectsSasl || ExpectsHeader)) return; // too early for any performative
        ConnectionLimits limits = connection.Limits;
        FrameWriter10.Write(connection.Output, 0, new Open
        {
            ContainerId = Encoding.UTF8.GetBytes(server.Identity.ClusterName),
            MaxFrameSize = (uint)limits.FrameBytesMax,
            ChannelMax = (ushort)(limits.SessionsMax - 1),
            IdleTimeOut = limits.HeartbeatSeconds == 0 ? null : (uint)limits.HeartbeatSeconds * 1000 / 2,
            OfferedCapabilities = Values10.Symbols("LINK_PAIR_V1_0", "ANONYMOUS-RELAY"),
            Properties = server.OpenProperties,
        });
    }

    // Without SASL somebody is there whom nobody knows: that needs an anonymous user.
    private bool StartWithoutSasl()
    {
        UserStore users = connection.Broker.Users;
        if (users.AnonymousUser is { } name) users.TryIdentify(name, from, out _user);
        Write(_user is null ? ProtocolHeader.Sasl10 : ProtocolHeader.Amqp10);
        return _user is not null;
    }

    private bool Take(SaslStep step, ILogger log, string name)
    {
        switch (step)
        {
            case SaslStep.Challenge challenge:
                FrameWriter10.Write(connection.Output, 0, new SaslChallenge { Challenge = challenge.Bytes }, FrameType10.Sasl);
                return true;
            case SaslStep.Done done:
                _user = done.User;
                WriteOutcome(SaslCode.Ok);
                ExpectsSasl = false;
                ExpectsHeader = true;
                return true;
            case SaslStep.Failed failed:
                log.LoginRefused(name, failed.Failure);
                WriteOutcome(SaslCode.Auth);
                return false;
            default:
                WriteOutcome(SaslCode.Auth);
                return false;
        }
    }

    private VirtualHost FindVirtualHost(string hostname)
    {
        const string Prefix = "vhost:";
        string name = hostname.StartsWith(Prefix, StringComparison.Ordinal) ? hostname[Prefix.Length..] : connection.Limits.DefaultVirtualHost;
        if (!connection.Broker.TryFindVirtualHost(name, out VirtualHost? found)) throw AmqpErrors.NoVirtualHost(name);
        if (!_user!.Permissions.ContainsKey(name)) throw AmqpErrors.From(ErrorCatalogue.VirtualHostRefused(name, _user.Name), AmqpErrorScope.Connection);
        return found;
    }

    private void WriteOutcome(SaslCode code) => FrameWriter10.Write(connection.Output, 0, new SaslOutcome { SaslCode = code }, FrameType10.Sasl);

    private void Write(ReadOnlySpan<byte> header)
    {
        lock (connection.Output.Gate) connection.Output.Write(header);
    }
}
