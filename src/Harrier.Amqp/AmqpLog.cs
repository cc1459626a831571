using Harrier.Broker.Security;
using Microsoft.Extensions.Logging;

namespace Harrier.Amqp;

/// <summary>What an operator reads of connections. Event ids 2001 to 2099.</summary>
internal static partial class AmqpLog
{
    [LoggerMessage(2001, LogLevel.Information, "Connection {Connection} opened virtual host '{VirtualHost}' as '{User}'")]
    public static partial void ConnectionOpened(this ILogger log, string connection, string user, string virtualHost);

    [LoggerMessage(2002, LogLevel.Information, "Connection {Connection} was closed by its client with code {Code}")]
    public static partial void ClosedByClient(this ILogger log, string connection, int code);

    [LoggerMessage(2003, LogLevel.Warning, "Connection {Connection} ended without a close")]
    public static partial void ClosedAbruptly(this ILogger log, string connection);

    [LoggerMessage(2004, LogLevel.Warning, "Connection {Connection} is closed: {Code} {Text}")]
    public static partial void ConnectionError(this ILogger log, string connection, int code, string text);

    [LoggerMessage(2005, LogLevel.Warning, "Channel {Channel} of connection {Connection} is closed: {Code} {Text}")]
    public static partial void ChannelError(this ILogger log, string connection, int channel, int code, string text);

    [LoggerMessage(2006, LogLevel.Warning, "Login on connection {Connection} was refused: {Failure}")]
    public static partial void LoginRefused(this ILogger log, string connection, LoginFailure failure);

    [LoggerMessage(2007, LogLevel.Warning, "Connection {Connection} is dropped: {Cause}")]
    public static partial void SilentPeer(this ILogger log, string connection, string cause);

    [LoggerMessage(2008, LogLevel.Critical, "Connection {Connection} met a broken invariant of the broker and is closed")]
    public static partial void InvariantBroken(this ILogger log, string connection, Exception exception);

    [LoggerMessage(2009, LogLevel.Warning, "A peer at {Peer} does not speak AMQP: it sent {Header}")]
    public static partial void WrongProtocol(this ILogger log, string? peer, string header);

    [LoggerMessage(2010, LogLevel.Warning, "A connection from {Peer} is refused: {ConnectionsMax} are open, which is the limit")]
    public static partial void TooManyConnections(this ILogger log, string? peer, int connectionsMax);

    [LoggerMessage(2011, LogLevel.Information, "Connection {Connection} was closed by its client with {Error}")]
    public static partial void ClosedByPeer(this ILogger log, string connection, string error);

    [LoggerMessage(2012, LogLevel.Warning, "Connection {Connection} is closed: {Condition} {Text}")]
    public static partial void ConnectionFailed(this ILogger log, string connection, string condition, string text);

    [LoggerMessage(2013, LogLevel.Warning, "A session or link on channel {Channel} of connection {Connection} is ended: {Condition} {Text}")]
    public static partial void LinkError(this ILogger log, string connection, int channel, string condition, string text);
}
