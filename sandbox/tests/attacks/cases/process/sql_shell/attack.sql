.bail off
SELECT CASE WHEN readfile('host.json') IS NULL THEN 'CONTROL broken' ELSE 'CONTROL ok' END;
.shell echo ESCAPED shell ran >&1
.system /usr/bin/sqlite3 :memory: "SELECT 'ESCAPED system ran'"
SELECT edit('x', 'echo ESCAPED edit ran; true');
CREATE TABLE taken(line);
.import "|echo ESCAPED import ran" taken
SELECT * FROM taken;
.once "|echo ESCAPED once ran"
SELECT 'this line for that program';
.output
SELECT 'BLOCKED every_way NoEffect';
