use super::rule::rules;

rules! {
    SQL_INJECTION = "PY-SQL-INJECTION" Security High 0.9
        title "SQL query built from text"
        what "A query is put together from pieces of text before it is executed; a value among them can change the query itself (SQL injection)."
        fix "Keep the query a constant with placeholders and pass the values separately; choose table and column names from a fixed list."
        example "cursor.execute(\"SELECT name FROM users WHERE id = ?\", (user_id,))"
        see ["CWE-89", "https://docs.python.org/3/library/sqlite3.html#sqlite3-placeholders"];
    COMMAND_INJECTION = "PY-COMMAND-INJECTION" Security High 0.9
        title "Shell command built from data"
        what "A command line that is not a constant is handed to a shell, or names the program to start; whoever controls a part of it can run other commands."
        fix "Pass a list of arguments without a shell, starting with a constant program name; quote with shlex.quote where a shell cannot be avoided."
        example "subprocess.run([\"ping\", host], check=True)"
        see ["CWE-78", "https://docs.python.org/3/library/subprocess.html#security-considerations"];
    SHELL_TRUE = "PY-SHELL-TRUE" Security Low 0.8
        title "Subprocess started through a shell"
        what "The command is a constant, but it goes through a shell, which becomes an injection as soon as somebody adds a value to it."
        fix "Pass a list of arguments and leave shell at its default."
        example "subprocess.run([\"ls\", \"-l\"], check=True)"
        see ["CWE-78"];
    CODE_INJECTION = "PY-CODE-INJECTION" Security High 0.9
        title "Data executed as code"
        what "Text that is not a constant is evaluated or compiled as Python; whoever controls it runs code with the rights of this process."
        fix "Parse the data instead: ast.literal_eval for literals, json.loads for structures, a table of functions for choices."
        example "value = ast.literal_eval(text)"
        see ["CWE-95", "https://docs.python.org/3/library/ast.html#ast.literal_eval"];
    DESERIALIZATION = "PY-UNSAFE-DESERIALIZATION" Security Medium 0.8
        title "Unsafe deserialization"
        what "This loader can build any object and run code while it does; data from outside must not reach it."
        fix "Use json, or a schema-checked format; where the format is fixed, verify a signature before loading."
        example "data = json.loads(payload)"
        see ["CWE-502", "https://docs.python.org/3/library/pickle.html"];
    YAML_LOAD = "PY-YAML-LOAD" Security Medium 0.9
        title "YAML loaded with an unsafe loader"
        what "The chosen YAML loader can build any object and run code while it does."
        fix "Use yaml.safe_load, or pass SafeLoader."
        example "config = yaml.safe_load(stream)"
        see ["CWE-502", "https://pyyaml.org/wiki/PyYAMLDocumentation"];
    PATH_TRAVERSAL = "PY-PATH-TRAVERSAL" Security High 0.85
        title "File path from outside data"
        what "A file path contains data from outside; parent references or an absolute path in it reach files that were not meant."
        fix "Reduce the name with os.path.basename or secure_filename, or resolve the path and check that it stays below the base directory."
        example "path = (base / name).resolve()\nif not path.is_relative_to(base):\n    raise ValueError(\"outside of the base directory\")"
        see ["CWE-22", "https://docs.python.org/3/library/pathlib.html#pathlib.PurePath.is_relative_to"];
    HARDCODED_SECRET = "PY-HARDCODED-SECRET" Security High 0.75
        title "Secret in the source"
        what "A password, key or token is written into the code; everybody who can read the code, or its history, has it."
        fix "Read it from the environment or a secret store, and replace the one that was exposed."
        example "api_key = os.environ[\"API_KEY\"]"
        see ["CWE-798"];
    SECRET_COMPARED = "PY-SECRET-COMPARED" Security Medium 0.7
        title "Secret compared with a constant"
        what "A credential is compared with a constant in the code, so the secret is in the code, and the time of the comparison tells about it."
        fix "Keep only a salted hash of the secret and compare with hmac.compare_digest."
        example "hmac.compare_digest(given, expected)"
        see ["CWE-798", "CWE-208"];
    FLASK_SECRET_KEY = "PY-FLASK-SECRET-KEY" Security High 0.9
        title "Session signing key in the source"
        what "The key that signs sessions is a constant in the code; whoever reads it can forge any session."
        fix "Read the key from the environment or a secret store and refuse to start without it."
        example "app.config[\"SECRET_KEY\"] = os.environ[\"SECRET_KEY\"]"
        see ["CWE-798", "CWE-321"];
    WEAK_HASH = "PY-WEAK-HASH" Security Medium 0.85
        title "Weak hash function"
        what "MD5 and SHA-1 no longer resist collisions, and both are far too fast for passwords."
        fix "Use SHA-256 or better for integrity and a password hash such as argon2 or scrypt for passwords; say usedforsecurity=False where it is only a checksum."
        example "digest = hashlib.sha256(data).hexdigest()"
        see ["CWE-328", "https://docs.python.org/3/library/hashlib.html"];
    WEAK_CIPHER = "PY-WEAK-CIPHER" Security High 0.9
        title "Weak cipher or mode"
        what "The cipher is broken or too short, or the mode shows which blocks are equal."
        fix "Use AES-GCM or ChaCha20-Poly1305 from the cryptography package."
        example "AESGCM(key).encrypt(nonce, data, None)"
        see ["CWE-327"];
    WEAK_RANDOM = "PY-WEAK-RANDOM" Security Low 0.6
        title "Predictable random numbers"
        what "The random module is made for simulations; its numbers can be predicted from earlier ones, so they must not make tokens, passwords or keys."
        fix "Use the secrets module for anything that somebody should not guess."
        example "token = secrets.token_urlsafe(32)"
        see ["CWE-330", "https://docs.python.org/3/library/secrets.html"];
    INSECURE_TLS = "PY-INSECURE-TLS" Security High 0.9
        title "Certificate check switched off"
        what "The peer's certificate is not checked, so anybody on the way can read and change the traffic."
        fix "Leave verification on; add a private authority to the trust store instead."
        example "requests.get(url, timeout=10)"
        see ["CWE-295", "https://docs.python.org/3/library/ssl.html"];
    WEAK_TLS_VERSION = "PY-WEAK-TLS-VERSION" Security Medium 0.9
        title "Outdated TLS version"
        what "SSL 2 and 3, TLS 1.0 and 1.1 are broken."
        fix "Use ssl.create_default_context, which allows TLS 1.2 and later."
        example "context = ssl.create_default_context()"
        see ["CWE-326"];
    DEBUG_ENABLED = "PY-DEBUG-ENABLED" Security Medium 0.9
        title "Debug mode switched on"
        what "Debug mode shows internals to every visitor, and the interactive debugger runs code for them."
        fix "Take the setting from the environment, with off as the default."
        example "app.run(debug=False)"
        see ["CWE-489", "https://flask.palletsprojects.com/en/stable/debugging/"];
    BIND_ALL = "PY-BIND-ALL-INTERFACES" Security Low 0.7
        title "Listens on every network interface"
        what "The service is reachable from every network that the machine is in."
        fix "Bind to the one address that is needed, by default the loopback."
        example "app.run(host=\"127.0.0.1\")"
        see ["CWE-605"];
    XXE = "PY-XXE" Security Medium 0.75
        title "XML parsed with external entities possible"
        what "The parser is set to follow entities, or reads outside data with a parser that does not guard against them; entities can read files and exhaust memory."
        fix "Parse with defusedxml, or switch entity resolution off."
        example "tree = defusedxml.ElementTree.fromstring(text)"
        see ["CWE-611", "https://docs.python.org/3/library/xml.html#xml-security"];
    SSRF = "PY-SSRF" Security High 0.85
        title "Request to an address from outside"
        what "The service fetches an address that comes from outside; it can be pointed at internal systems (server-side request forgery)."
        fix "Choose the host from a fixed list and check the resolved address before connecting."
        example "if urlsplit(url).hostname not in ALLOWED_HOSTS:\n    raise ValueError(\"host is not allowed\")"
        see ["CWE-918"];
    OPEN_REDIRECT = "PY-OPEN-REDIRECT" Security Medium 0.85
        title "Redirect to an address from outside"
        what "The browser is sent to an address that comes from the request; links to this site can lead to a foreign one."
        fix "Redirect to named routes only, or check that the address has no host of its own."
        example "return redirect(url_for(\"index\"))"
        see ["CWE-601"];
    TEMPLATE_INJECTION = "PY-TEMPLATE-INJECTION" Security High 0.85
        title "Template built from data"
        what "The template text itself is not a constant; template expressions in the data are executed on the server."
        fix "Keep templates in files or constants and pass data as variables."
        example "render_template(\"page.html\", name=name)"
        see ["CWE-1336"];
    AUTOESCAPE_OFF = "PY-AUTOESCAPE-OFF" Security Medium 0.8
        title "Template engine without escaping"
        what "The template environment does not escape values, so data in a page can become script (cross-site scripting)."
        fix "Switch automatic escaping on."
        example "Environment(autoescape=select_autoescape())"
        see ["CWE-79", "https://jinja.palletsprojects.com/en/stable/api/#autoescaping"];
    XSS = "PY-XSS" Security High 0.75
        title "Outside data in a page without escaping"
        what "Data from outside goes into a page as it is; it can become script in the visitor's browser (cross-site scripting)."
        fix "Render through a template that escapes, or escape the value with markupsafe.escape."
        example "return render_template(\"hello.html\", name=name)"
        see ["CWE-79"];
    LDAP_INJECTION = "PY-LDAP-INJECTION" Security High 0.85
        title "LDAP filter built from text"
        what "A directory filter contains data that is not escaped; the data can widen the search."
        fix "Escape each value with escape_filter_chars."
        example "filter = f\"(uid={escape_filter_chars(name)})\""
        see ["CWE-90"];
    XPATH_INJECTION = "PY-XPATH-INJECTION" Security High 0.85
        title "XPath expression built from text"
        what "An XPath expression contains data from outside; the data can select other nodes."
        fix "Pass values as XPath variables."
        example "root.xpath(\"//user[@id=$id]\", id=user_id)"
        see ["CWE-643"];
    LOG_INJECTION = "PY-LOG-INJECTION" Security Low 0.6
        title "Outside data in a log message"
        what "Line breaks in the data can forge log entries."
        fix "Log structured fields, or remove line breaks first."
        example "log.info(\"login failed\", extra={\"user\": repr(name)})"
        see ["CWE-117"];
    TRUST_BOUNDARY = "PY-TRUST-BOUNDARY" Security Medium 0.7
        title "Outside data stored in the session"
        what "Unchecked data from the request is put into the session, which later code takes for trusted."
        fix "Validate the value before it is stored."
        example "session[\"theme\"] = choice if choice in THEMES else \"light\""
        see ["CWE-501"];
    REGEX_INJECTION = "PY-REGEX-INJECTION" Security Medium 0.7
        title "Regular expression from outside data"
        what "A pattern from outside can be made to take forever."
        fix "Escape the data with re.escape, or match with plain string methods."
        example "re.search(re.escape(text), line)"
        see ["CWE-1333"];
    HEADER_INJECTION = "PY-MAIL-HEADER-INJECTION" Security Medium 0.6
        title "Outside data in a mail envelope"
        what "Outside data becomes part of a mail's envelope or raw text, where line breaks add headers and recipients."
        fix "Build messages with email.message.EmailMessage, which refuses line breaks in headers."
        example "message = EmailMessage()\nmessage[\"Subject\"] = subject"
        see ["CWE-93"];
    MKTEMP = "PY-INSECURE-TEMPFILE" Security Medium 0.9
        title "Temporary file name without a file"
        what "The name is free when it is chosen, but not when the file is opened; another process can put its own file there."
        fix "Use NamedTemporaryFile or mkstemp, which create the file at once."
        example "with tempfile.NamedTemporaryFile() as file:"
        see ["CWE-377", "https://docs.python.org/3/library/tempfile.html#tempfile.mktemp"];
    TEMP_PATH = "PY-TEMP-PATH" Security Low 0.5
        title "Fixed path in a shared temporary directory"
        what "A fixed name in a directory that everybody can write to can be taken by another user first."
        fix "Use the tempfile module."
        example "with tempfile.TemporaryDirectory() as directory:"
        see ["CWE-377"];
    PERMISSIONS = "PY-LOOSE-PERMISSIONS" Security Medium 0.9
        title "File open to every user"
        what "The mode lets every user of the machine write, or run, the file."
        fix "Give the least: 0o600 for data, 0o700 for programs."
        example "os.chmod(path, 0o600)"
        see ["CWE-732"];
    JWT_UNVERIFIED = "PY-JWT-UNVERIFIED" Security High 0.9
        title "Token read without checking its signature"
        what "The token's signature is not checked, so anybody can write any claim."
        fix "Give the key and a fixed list of algorithms, and leave verification on."
        example "jwt.decode(token, key, algorithms=[\"EdDSA\"])"
        see ["CWE-347", "https://pyjwt.readthedocs.io/en/stable/api.html"];
    ASSERT_USED = "PY-ASSERT-CHECK" Security Low 0.6
        title "Check made with assert"
        what "Assertions vanish when Python runs with optimisation, and the check with them."
        fix "Raise an exception explicitly."
        example "if not user.is_admin:\n    raise PermissionError"
        see ["CWE-617"];
    EXCEPTION_SWALLOWED = "PY-EXCEPTION-SWALLOWED" Security Low 0.7
        title "Every exception ignored"
        what "All errors are caught and dropped, those that show an attack or a fault among them."
        fix "Catch the exception that is expected, and log the rest."
        example "except FileNotFoundError:\n    log.info(\"no cache yet\")"
        see ["CWE-703"];
    COOKIE_INSECURE = "PY-COOKIE-INSECURE" Security Medium 0.85
        title "Cookie without protection"
        what "The cookie may travel without encryption, or scripts can read it."
        fix "Set secure, httponly and samesite."
        example "response.set_cookie(name, value, secure=True, httponly=True, samesite=\"Lax\")"
        see ["CWE-614", "CWE-1004"];
    SSH_HOST_KEY = "PY-SSH-HOST-KEY" Security High 0.9
        title "Unknown SSH host keys accepted"
        what "The client accepts any host key, so it cannot tell the server from an impostor."
        fix "Load known hosts and keep RejectPolicy."
        example "client.load_system_host_keys()"
        see ["CWE-295"];
    ARCHIVE_EXTRACT = "PY-ARCHIVE-EXTRACT" Security Medium 0.8
        title "Archive unpacked without a filter"
        what "Entries of an archive can name paths outside of the target directory, links and devices."
        fix "Pass the data filter, and unpack into an empty directory."
        example "archive.extractall(target, filter=\"data\")"
        see ["CWE-22", "https://docs.python.org/3/library/tarfile.html#extraction-filters"];
    CLEARTEXT_PROTOCOL = "PY-CLEARTEXT-PROTOCOL" Security Medium 0.8
        title "Protocol without encryption"
        what "Telnet and plain FTP send everything, passwords included, in clear text."
        fix "Use SSH, SFTP or FTP over TLS."
        see ["CWE-319"];
    NO_TIMEOUT = "PY-REQUEST-TIMEOUT" Security Low 0.8
        title "Network call without a time limit"
        what "Without a time limit a silent peer holds this call, and whatever waits for it, for ever."
        fix "Pass a timeout."
        example "requests.get(url, timeout=10)"
        see ["CWE-400", "https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts"];
    CSRF_DISABLED = "PY-CSRF-DISABLED" Security Medium 0.8
        title "Protection against forged requests switched off"
        what "Other sites can make a visitor's browser send this request (cross-site request forgery)."
        fix "Leave the protection on, and exempt only handlers that authenticate by a token."
        see ["CWE-352"];
    CORS_ANY = "PY-CORS-ANY-ORIGIN" Security Medium 0.8
        title "Every origin allowed with credentials"
        what "Scripts of every site may call this service with the visitor's credentials."
        fix "List the origins that are allowed."
        example "CORSMiddleware(app, allow_origins=[\"https://app.example.org\"])"
        see ["CWE-942"];
    REGEX_DENIAL = "PY-REGEX-BACKTRACKING" Security Medium 0.6
        title "Regular expression with exponential backtracking"
        what "A repeated group is repeated again; some texts take exponentially long to match."
        fix "Make the inner repetition unambiguous, or bound the length of the text."
        see ["CWE-1333"];
    MASS_ASSIGNMENT = "PY-ATTRIBUTE-INJECTION" Security Medium 0.7
        title "Attribute name from outside data"
        what "An attribute is looked up or set by a name that comes from outside; internals can be reached that way."
        fix "Choose the name from a fixed list."
        example "if field in EDITABLE:\n    setattr(user, field, value)"
        see ["CWE-915"];
    DEPENDENCY = "PY-DEPENDENCY-ABANDONED" Security Medium 0.9
        title "Abandoned dependency"
        what "The project depends on a package that is no longer maintained and has known weaknesses."
        fix "Move to the maintained successor."
        see ["CWE-1104"];
}
