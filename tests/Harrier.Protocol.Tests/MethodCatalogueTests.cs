using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>What is known of a method by its id.</summary>
public sealed class MethodCatalogueTests
{
    [Fact]
    public void Every_method_has_a_name_of_its_own() =>
        AnyMethod.Ids.Select(MethodCatalogue.NameOf).Distinct().ShouldAllBe(name => name != null && name.Contains('.'));

    [Fact]
    public void Names_are_those_of_the_specification()
    {
        MethodCatalogue.NameOf(AmqpMethod.ConnectionStartOk).ShouldBe("connection.start-ok");
        MethodCatalogue.NameOf((AmqpMethod)(60 << 16 | 72)).ShouldBe("basic.get-empty");
        MethodCatalogue.NameOf((AmqpMethod)(60 << 16 | 73)).ShouldBeNull();
    }

    [Fact]
    public void Content_follows_four_methods() => AnyMethod.Ids.Where(MethodCatalogue.HasContent)
        .ShouldBe([AmqpMethod.BasicPublish, AmqpMethod.BasicReturn, AmqpMethod.BasicDeliver, AmqpMethod.BasicGetOk], ignoreOrder: true);
}
