import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

public final class Driver {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null;) {
            String[] fields = line.split("\t");
            System.out.println(fields[0].equals("mint") ? Mint.mint(fields[1])
                : Mint.token(fields[1], fields[2], fields[3], Long.parseLong(fields[4]), fields[5]));
        }
    }
}
