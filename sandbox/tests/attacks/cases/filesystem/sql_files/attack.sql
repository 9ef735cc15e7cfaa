.bail off
SELECT CASE WHEN writefile('control', readfile('host.json')) > 0 THEN 'CONTROL ok' ELSE 'CONTROL broken' END;

CREATE TABLE wanted(name, path);
INSERT INTO wanted VALUES
    ('secret', json_extract(readfile('host.json'), '$.secret_path')),
    ('version', '/proc/version'),
    ('environ', '/proc/self/environ'),
    ('environ_of_the_runner', '/proc/1/environ'),
    ('shadow', '/etc/shadow'),
    ('runner', '/promptcraft-runner');
SELECT CASE WHEN readfile(path) IS NULL THEN 'BLOCKED read_' || name || ' NULL' ELSE 'ESCAPED read_' || name || ' ' || length(readfile(path)) END
    FROM wanted;

SELECT writefile('/usr/lib/planted', 'x');
SELECT CASE WHEN coalesce(writefile(path, 'x'), 0) > 0 THEN 'ESCAPED write_' || path || ' written' ELSE 'BLOCKED write_' || path || ' refused' END
    FROM (SELECT '/etc/planted' AS path UNION ALL SELECT '/work/../planted');
.output /usr/lib/planted_by_output
SELECT 'x';
.output
.backup /usr/lib/planted_by_backup
ATTACH '/usr/lib/planted_by_attach' AS planted;
CREATE TABLE planted.t(a);
VACUUM INTO '/usr/lib/planted_by_vacuum';
CREATE TABLE planted(path);
INSERT INTO planted VALUES ('/usr/lib/planted'), ('/usr/lib/planted_by_output'),
    ('/usr/lib/planted_by_backup'), ('/usr/lib/planted_by_attach'), ('/usr/lib/planted_by_vacuum');
SELECT CASE WHEN readfile(path) IS NULL THEN 'BLOCKED write_' || path || ' NULL' ELSE 'ESCAPED write_' || path || ' is there' END
    FROM planted;
SELECT CASE count(*) WHEN 0 THEN 'BLOCKED attached none' ELSE 'ESCAPED attached ' || count(*) END
    FROM pragma_database_list WHERE name = 'planted';
