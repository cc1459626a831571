namespace Harrier.Amqp.Tests.V10;

/// <summary>Beginnings that many tests of 1.0 have in common.</summary>
internal static class Scenes10
{
    extension(TestServer server)
    {
        /// <summary>
        /// A client with the queue "q", link 0 to it, link 1 from it without credit, and so many messages "0", "1" and so on that it has published there.
        /// </summary>
        public async Task<WireScript10> OpenWithAsync(int messageCount)
        {
            server.Declare("q");
            WireScript10 client = await server.Open10();
            await client.AttachSender();
            for (int i = 0; i < messageCount; i++) await client.Publish($"{i}");
            await client.AttachReceiver();
            return client;
        }
    }
}
