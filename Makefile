# make run      a broker on port 5672, data in ./data
# make test     installs what the tests need and runs them all
# make interop  the third-party clients alone; BROKER=amqp://... runs them against another broker
# make bench    the comparison with the limit relay and RabbitMQ, as one table
# make micro    micro-benchmarks of codec, routing and queues
# make soak     the long forms of the fuzzers and the soak (SECONDS_EACH=600)
# make simulate crashes of a simulated disk, seed after seed (SECONDS_EACH=600; SIM_SEED=n runs one again)
# make crash    kill -9 of the real process (CRASH_ROUNDS=1000)
.PHONY: run test interop bench micro soak simulate crash

CONFIGURATION = Release
SECONDS_EACH ?= 600
CRASH_ROUNDS ?= 1000

run:
	dotnet run --project src/Harrier -c $(CONFIGURATION) -- serve --port 5672 --data ./data

test:
	tests/Interop/install.sh
	tests/run $(CONFIGURATION)

interop:
	tests/Interop/install.sh
	dotnet build src/Harrier -c $(CONFIGURATION) --nologo -v quiet
	BROKER=$(BROKER) dotnet test tests/Interop -c $(CONFIGURATION) --nologo --logger "console;verbosity=normal"

bench:
	bench/compare

micro:
	dotnet run --project bench/Harrier.Benchmarks -c Release -- --filter '*'

soak:
	FUZZ_SECONDS=$(SECONDS_EACH) dotnet test tests/Harrier.Fuzz -c $(CONFIGURATION) --nologo
	SOAK_SECONDS=$(SECONDS_EACH) dotnet test tests/Harrier.Soak -c $(CONFIGURATION) --nologo

simulate:
	SIM_SECONDS=$(SECONDS_EACH) dotnet test tests/Harrier.Simulation -c $(CONFIGURATION) --nologo --logger "console;verbosity=normal"

crash:
	dotnet build src/Harrier -c $(CONFIGURATION) --nologo -v quiet
	CRASH_ROUNDS=$(CRASH_ROUNDS) dotnet test tests/Harrier.Crash -c $(CONFIGURATION) --nologo --logger "console;verbosity=normal"
