<?php
require __DIR__ . '/mint.php';

while (($line = fgets(STDIN)) !== false) {
    $fields = explode("\t", rtrim($line, "\n"));
    if ($fields[0] === 'mint') {
        echo mint($fields[1]), "\n";
    } else {
        [, $jid, $seed, $secret, $step, $nonce] = $fields;
        echo token($jid, $seed, $secret, (int) $step, $nonce), "\n";
    }
}
