<?php
// PHP prints what is outside of its tags: a file without any would succeed and execute nothing.
if (strpos(file_get_contents($_SERVER['SCRIPT_FILENAME']), '<?') === false) {
    fwrite(STDERR, "PHP: the file has no opening tag (<?php), so nothing in it would be executed\n");
    exit(1);
}
