using Harrier.Broker;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10.Management;

/// <summary>
/// The management node (behaviour section 1.9b): has one client's session do what its requests say, and says what came of it. Knows nothing of links.
/// Owned by the connection's task.
/// </summary>
internal sealed class ManagementHandler(ClientSession client, string node)
{
    private readonly QueueRequests _queues = new(client, node);
    private readonly ExchangeRequests _exchanges = new(client);
    private readonly BindingRequests _bindings = new(client);

    /// <summary>Carries a request out. Whatever it is refused for stands in the reply.</summary>
    public ManagementReply Handle(in ManagementRequest request)
    {
        try
        {
            return Dispatch(in request);
        }
        catch (RequestRefusedException e)
        {
            return ManagementReply.Of(e);
        }
        catch (BrokerException e) when (e.Code != ErrorCode.InternalError)
        {
            return ManagementReply.Of(new RequestRefusedException(e.Code == ErrorCode.AccessRefused ? 403 : 400, e.Message));
        }
    }

    private ManagementReply Dispatch(in ManagementRequest request)
    {
        RequestTarget target = RequestTarget.Parse(request.Uri);
        switch (target.Segments)
        {
            case ["queues", var name]:
                switch (request.Method)
                {
                    case "GET": return _queues.Get(RequestTarget.Decode(name));
                    case "PUT": return _queues.Declare(RequestTarget.Decode(name), request.Body);
                    case "DELETE": return _queues.Delete(RequestTarget.Decode(name));
                }
                break;
            case ["queues", var name, "messages"]:
                if (request.Method == "DELETE") return _queues.Purge(RequestTarget.Decode(name));
                break;
            case ["exchanges", var name]:
                switch (request.Method)
                {
                    case "PUT": return _exchanges.Declare(RequestTarget.Decode(name), request.Body);
                    case "DELETE": return _exchanges.Delete(RequestTarget.Decode(name));
                }
                break;
            case ["bindings"]:
                switch (request.Method)
                {
                    case "GET": return _bindings.List(target);
                    case "POST": return _bindings.Bind(request.Body);
                }
                break;
            case ["bindings", var location]:
                if (request.Method == "DELETE") return _bindings.Unbind(location);
                break;
            case ["auth", "tokens"]:
                if (request.Method == "PUT") return TakeToken(in request);
                break;
            default: throw RequestErrors.NoUri(target.Path);
        }
        throw RequestErrors.NoMethod(request.Method, target.Path);
    }

    /// <summary>What connection.update-secret is in 0-9-1.</summary>
    private ManagementReply TakeToken(in ManagementRequest request)
    {
        if (!request.Body.IsBinary) throw RequestErrors.NoToken();
        if (client.User.Password?.Matches(request.Body.Content) != true) throw RequestErrors.TokenRefused();
        return ManagementReply.NoContent();
    }
}
