using System.Collections.Immutable;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Policies;

/// <summary>The policies of a virtual host, each kind in the order in which they are tried. Immutable.</summary>
public sealed class PolicyTable
{
    private readonly ImmutableArray<Policy> _user;
    private readonly ImmutableArray<Policy> _operator;

    private PolicyTable(ImmutableArray<Policy> user, ImmutableArray<Policy> operators)
    {
        _user = user;
        _operator = operators;
    }

    /// <summary>No policies.</summary>
    public static PolicyTable Empty { get; } = new([], []);

    /// <summary>The policies of a kind: the highest priority first, and by name where it is the same.</summary>
    public ImmutableArray<Policy> Of(PolicyKind kind) => kind == PolicyKind.User ? _user : _operator;

    /// <summary>The policy of that name, or null.</summary>
    public Policy? Find(PolicyKind kind, string name) => Of(kind).FirstOrDefault(p => p.Name == name);

    /// <summary>What applies to a queue.</summary>
    public EffectivePolicy For(QueueDefinition queue)
    {
        if (_user.IsEmpty && _operator.IsEmpty) return EffectivePolicy.None;
        string name = queue.Name.ToString();
        return Effective(p => AppliesTo(p, queue.Type) && p.Pattern.Matches(name));
    }

    /// <summary>What applies to an exchange.</summary>
    public EffectivePolicy For(Exchange exchange)
    {
        if (_user.IsEmpty && _operator.IsEmpty) return EffectivePolicy.None;
        string name = exchange.Name.ToString();
        return Effective(p => p.AppliesTo is PolicyTarget.All or PolicyTarget.Exchanges && p.Pattern.Matches(name));
    }

    internal PolicyTable With(Policy policy) => Replace(policy.Kind, Insert(Without(policy.Kind, policy.Name).Of(policy.Kind), policy));

    internal PolicyTable Without(PolicyKind kind, string name) => Replace(kind, Of(kind).RemoveAll(p => p.Name == name));

    private static ImmutableArray<Policy> Insert(ImmutableArray<Policy> policies, Policy policy)
    {
        int index = 0;
        while (index < policies.Length && IsBefore(policies[index], policy)) index++;
        return policies.Insert(index, policy);
    }

    // RabbitMQ leaves open which of two with the same priority applies; here it is always the same one.
    private static bool IsBefore(Policy a, Policy b) =>
        a.Priority != b.Priority ? a.Priority > b.Priority : string.CompareOrdinal(a.Name, b.Name) < 0;

    private static bool AppliesTo(Policy policy, QueueType type)
    {
        bool isTarget = policy.AppliesTo switch
        {
            PolicyTarget.All or PolicyTarget.Queues => true,
            PolicyTarget.ClassicQueues => type == QueueType.Classic,
            PolicyTarget.QuorumQueues => type == QueueType.Quorum,
            _ => false,
        };
        return isTarget && PolicyKeys.AreFor(type, policy.Definition);
    }

    private EffectivePolicy Effective(Func<Policy, bool> applies)
    {
        Policy? user = _user.FirstOrDefault(applies), ofOperator = _operator.FirstOrDefault(applies);
        return user is null && ofOperator is null ? EffectivePolicy.None : new EffectivePolicy(user, ofOperator);
    }

    private PolicyTable Replace(PolicyKind kind, ImmutableArray<Policy> policies) =>
        kind == PolicyKind.User ? new PolicyTable(policies, _operator) : new PolicyTable(_user, policies);
}
