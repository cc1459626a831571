using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>Encoded delivery states.</summary>
public static class States10
{
    public static byte[] Accepted { get; } = Encoded10.Composite(new Accepted());

    public static byte[] Released { get; } = Encoded10.Composite(new Released());

    public static byte[] Rejected { get; } = Encoded10.Composite(new Rejected());

    public static byte[] Received { get; } = Encoded10.Composite(new Received());

    public static byte[] Modified(bool? deliveryFailed = null, bool? undeliverableHere = null) =>
        Encoded10.Composite(new Modified { DeliveryFailed = deliveryFailed, UndeliverableHere = undeliverableHere });

    /// <summary>A state within a transaction.</summary>
    /// <param name="transactionId">In hexadecimal, as a declared tells it.</param>
    /// <param name="outcome">The outcome, or nothing.</param>
    public static byte[] In(string transactionId, byte[]? outcome = null) =>
        Encoded10.Composite(new TransactionalState { TxnId = Encoded10.Binary(Convert.FromHexString(transactionId)), Outcome = outcome });
}
