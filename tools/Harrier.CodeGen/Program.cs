// Writes the 0-9-1 method structs from amqp091.table: dotnet run --project tools/Harrier.CodeGen -- TABLE OUTPUT
// A test runs MethodGenerator over the same table and compares with what is checked in.
using Harrier.CodeGen;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: codegen TABLE OUTPUT");
    return 2;
}
File.WriteAllText(args[1], MethodGenerator.Generate(MethodTable.Parse(File.ReadAllLines(args[0]))));
return 0;
