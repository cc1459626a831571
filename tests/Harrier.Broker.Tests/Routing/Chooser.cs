using System.Globalization;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;

namespace Harrier.Broker.Tests.Routing;

/// <summary>What tests do with exchange types that send each message to one destination.</summary>
internal static class Chooser
{
    private static readonly Queue[] Queues = new TestQueues().Create(20);

    /// <summary>A binding to one of 20 queues.</summary>
    public static Binding Bind(int queue, string key = "", params Argument[] arguments) =>
        new("x", new Destination(Queues[queue]), key, new ArgumentTable(arguments));

    /// <summary>The number of the one queue that a message with this key goes to, or null when it goes nowhere.</summary>
    public static int? Choose(this IBindingTable table, string key, RouteSet? routes = null, params Argument[] headers)
    {
        routes ??= new RouteSet(1);
        routes.Clear();
        Message message = TestMessages.Create(key, headers: headers);
        table.Match(message.RoutingKey, message, routes);
        message.Release();
        routes.Count.ShouldBeLessThanOrEqualTo(1);
        return routes.Count == 0 ? null : Array.IndexOf(Queues, routes[0]);
    }

    /// <summary>Where each of so many keys goes.</summary>
    public static int[] ChooseAll(this IBindingTable table, int keyCount)
    {
        var routes = new RouteSet(1);
        return [.. Enumerable.Range(0, keyCount).Select(i => table.Choose(Key(i), routes) ?? -1)];
    }

    /// <summary>Each queue's part of the choices is within 10 % of the one that its weight gives it.</summary>
    public static void ShouldBeSharedAs(this int[] choices, params int[] weights)
    {
        for (int queue = 0; queue < weights.Length; queue++)
        {
            double expected = (double)choices.Length * weights[queue] / weights.Sum(w => (long)w);
            ((double)choices.Count(c => c == queue)).ShouldBeInRange(expected * 0.9, expected * 1.1, $"queue {queue}");
        }
    }

    private static string Key(int number) => "order." + number.ToString(CultureInfo.InvariantCulture);
}
