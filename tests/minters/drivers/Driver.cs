using System;
using System.IO;
using System.Text;

public static class Driver
{
    public static void Main()
    {
        var lines = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        for (string line; (line = lines.ReadLine()) != null;)
        {
            var fields = line.Split('\t');
            Console.WriteLine(fields[0] == "mint" ? Minter.Mint(fields[1])
                : Minter.Token(fields[1], fields[2], fields[3], long.Parse(fields[4]), fields[5]));
        }
    }
}
