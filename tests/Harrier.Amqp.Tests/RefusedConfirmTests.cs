using System.Buffers;
using System.IO.Pipelines;
using FsCheck.Fluent;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V091;
using Harrier.Broker;
using Harrier.Broker.Durability;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;

namespace Harrier.Amqp.Tests;

/// <summary>What a publisher hears when queues refuse: basic.nack for what any of them refused, basic.ack for the rest, as few of them as can be.</summary>
public class RefusedConfirmTests
{
    // Without a data directory nothing waits.
    private static readonly LogSync Sync = new MessageBroker(["/"], new UserStore([TestUsers.Guest]), new Random(1), new SimClock()).Sync;

    [Fact]
    public void One_queue_that_refuses_is_enough_for_a_nack_whatever_the_others_say_and_when()
    {
        foreach (Outcome[] answers in new Outcome[][]
        {
            [Outcome.Rejected], [Outcome.Rejected, Outcome.Accepted], [Outcome.Accepted, Outcome.Rejected, Outcome.Accepted], [Outcome.Rejected, Outcome.Rejected],
        })
        {
            var publisher = new Publisher();
            ulong number = publisher.Tracker.Begin(answers.Length);
            foreach (Outcome answer in answers)
            {
                publisher.Hear().ShouldBeEmpty();
                publisher.Tracker.OnSettled(number, answer);
            }
            publisher.Hear().ShouldBe([new Answer(number, IsNack: true, IsMultiple: false)]);
            publisher.Hear().ShouldBeEmpty();
        }
    }

    [Fact]
    public void No_answer_for_many_covers_what_is_answered_otherwise()
    {
        var publisher = new Publisher();
        publisher.Publish(Outcome.Accepted, Outcome.Accepted, Outcome.Rejected, Outcome.Rejected, Outcome.Rejected, Outcome.Accepted, Outcome.Rejected);
        publisher.Hear().ShouldBe([new(2, false, true), new(5, true, true), new(6, false, false), new(7, true, false)]);
    }

    [Fact]
    public void A_refusal_waits_for_the_answers_before_it()
    {
        var publisher = new Publisher();
        ulong slow = publisher.Tracker.Begin(1);
        publisher.Publish(Outcome.Rejected, Outcome.Rejected);
        publisher.Hear().ShouldBeEmpty();
        publisher.Tracker.OnSettled(slow, Outcome.Accepted);
        publisher.Hear().ShouldBe([new(1, false, false), new(3, true, true)]);
    }

    [Fact]
    public void What_no_queue_was_to_take_is_acked_after_a_refusal_too()
    {
        var publisher = new Publisher();
        publisher.Publish(Outcome.Rejected);
        publisher.Tracker.Begin(0);
        publisher.Hear().ShouldBe([new(1, true, false), new(2, false, false)]);
    }

    [Fact]
    public void Each_publication_is_answered_once_in_its_turn_and_as_its_queues_have_said() =>
        Properties.ForAllSequences(
            Gen.Choose(0, 9).SelectMany(kind => Gen.Choose(0, 1000), (kind, pick) => (Kind: kind, Pick: pick)),
            steps =>
            {
                var publisher = new Publisher();
                var model = new ConfirmModel();
                foreach ((int kind, int pick) in steps)
                {
                    if (kind < 3) publisher.Tracker.Begin(pick % 4).ShouldBe(model.Begin(pick % 4));
                    else if (kind == 9) model.Check(publisher.Hear());
                    else if (model.TryPick(pick, out ulong number))
                    {
                        Outcome outcome = kind < 7 ? Outcome.Accepted : Outcome.Rejected;
                        model.Settle(number, outcome);
                        publisher.Tracker.OnSettled(number, outcome);
                    }
                }
                while (model.TryPick(0, out ulong number))
                {
                    model.Settle(number, Outcome.Accepted);
                    publisher.Tracker.OnSettled(number, Outcome.Accepted);
                }
                model.Check(publisher.Hear());
                model.UnansweredCount.ShouldBe(0);
            },
            runs: 500);

    /// <summary>basic.ack or basic.nack.</summary>
    private readonly record struct Answer(ulong Tag, bool IsNack, bool IsMultiple)
    {
        public static Answer Decode(AmqpMethod method, ReadOnlySpan<byte> arguments)
        {
            if (method == AmqpMethod.BasicAck) return new Answer(BasicAck.Decode(arguments).DeliveryTag, IsNack: false, BasicAck.Decode(arguments).Multiple);
            method.ShouldBe(AmqpMethod.BasicNack);
            BasicNack nack = BasicNack.Decode(arguments);
            nack.Requeue.ShouldBeTrue("as RabbitMQ sends it");
            return new Answer(nack.DeliveryTag, IsNack: true, nack.Multiple);
        }
    }

    /// <summary>One channel's confirms, up to the bytes that its client reads.</summary>
    private sealed class Publisher
    {
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        private readonly FrameOutput _output;
        private readonly ConfirmRelease _release;
        private readonly ChannelConfirms _channel = new(1);

        public Publisher()
        {
            _output = new FrameOutput(_pipe.Writer, PipeScheduler.Inline);
            _release = new ConfirmRelease(_output, Sync);
        }

        public ConfirmTracker Tracker { get; } = new();

        public void Publish(params Outcome[] answers)
        {
            foreach (Outcome answer in answers) Tracker.OnSettled(Tracker.Begin(1), answer);
        }

        /// <summary>Sends what is due, as a channel does after every read.</summary>
        public List<Answer> Hear()
        {
            while (Tracker.TryTakeAnswered(out ConfirmRun run)) _release.Add((_channel, run), ticket: 0);
            _output.Flush();
            List<Answer> heard = [];
            if (!_pipe.Reader.TryRead(out ReadResult read)) return heard;
            ReadOnlySpan<byte> bytes = read.Buffer.ToArray();
            while (FrameReader.TryRead(ref bytes, 4096, out Frame frame))
            {
                var reader = new WireReader(frame.Payload);
                heard.Add(Answer.Decode((AmqpMethod)reader.ReadLong(), reader.Rest));
            }
            _pipe.Reader.AdvanceTo(read.Buffer.End);
            return heard;
        }
    }

    /// <summary>What a client believes, and what is true.</summary>
    private sealed class ConfirmModel
    {
        private readonly List<(int Left, bool IsRefused)> _publications = [];
        private int _answered;

        public int UnansweredCount => _publications.Count - _answered;

        public ulong Begin(int queueCount)
        {
            _publications.Add((queueCount, false));
            return (ulong)_publications.Count;
        }

        /// <summary>One of the publications for which a queue has yet to answer.</summary>
        public bool TryPick(int pick, out ulong number)
        {
            int[] open = [.. Enumerable.Range(0, _publications.Count).Where(i => _publications[i].Left > 0)];
            number = open.Length == 0 ? 0 : (ulong)open[pick % open.Length] + 1;
            return number > 0;
        }

        public void Settle(ulong number, Outcome outcome)
        {
            (int left, bool isRefused) = _publications[(int)number - 1];
            _publications[(int)number - 1] = (left - 1, isRefused || outcome == Outcome.Rejected);
        }

        public void Check(List<Answer> heard)
        {
            for (int i = 0; i < heard.Count; i++)
            {
                Answer answer = heard[i];
                ((int)answer.Tag).ShouldBeInRange(_answered + 1, _publications.Count);
                answer.IsMultiple.ShouldBe((int)answer.Tag > _answered + 1);
                for (; _answered < (int)answer.Tag; _answered++) _publications[_answered].ShouldBe((0, answer.IsNack));
                if (i > 0) heard[i - 1].IsNack.ShouldNotBe(answer.IsNack, "two answers where one would have done");
            }
            if (_answered < _publications.Count) _publications[_answered].Left.ShouldBeGreaterThan(0, "an answer is missing");
        }
    }
}
