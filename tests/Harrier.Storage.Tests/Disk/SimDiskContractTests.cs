using Harrier.Storage.Disk;
using Harrier.TestSupport;

namespace Harrier.Storage.Tests.Disk;

/// <summary>A simulated disk that does not crash is a disk.</summary>
public class SimDiskContractTests : DiskContract
{
    protected override IDisk Disk { get; } = new SimDisk(1);
}
