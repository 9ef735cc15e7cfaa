use super::rule::rules;

rules! {
    SQL_INJECTION = "PY-SQL-INJECTION" Security High 0.9
        title "SQL query built from text"
        what "A query is built by joining text before it is executed; a value in it can change the query itself (SQL injection)."
        fix "Keep the query a constant with placeholders and pass the values separately; choose table and column names from a fixed list."
        example "cursor.execute(\"SELECT name FROM users WHERE id = ?\", (user_id,))"
        see ["CWE-89", "https://docs.python.org/3/library/sqlite3.html#sqlite3-placeholders"];
    COMMAND_INJECTION = "PY-COMMAND-INJECTION" Security High 0.9
        title "Shell command built from data"
        what "A command line that is not a constant is passed to a shell, or names the program to start; an attacker who controls a part of it can run other commands."
        fix "Pass a list of arguments without a shell, starting with a constant program name; if a shell is required, quote values with shlex.quote."
        example "subprocess.run([\"ping\", host], check=True)"
        see ["CWE-78", "https://docs.python.org/3/library/subprocess.html#security-considerations"];
    SHELL_TRUE = "PY-SHELL-TRUE" Security Low 0.8
        title "Subprocess started through a shell"
        what "The command is a constant, but it runs in a shell; adding a value to it later would allow command injection."
        fix "Pass a list of arguments and leave shell at its default."
        example "subprocess.run([\"ls\", \"-l\"], check=True)"
        see ["CWE-78"];
    CODE_INJECTION = "PY-CODE-INJECTION" Security High 0.9
        title "Data executed as code"
        what "Text that is not a constant is evaluated or compiled as Python; an attacker who controls it runs code with the permissions of this process."
        fix "Parse the data instead: ast.literal_eval for literals, json.loads for structures, a table of functions for choices."
        example "value = ast.literal_eval(text)"
        see ["CWE-95", "https://docs.python.org/3/library/ast.html#ast.literal_eval"];
    DESERIALIZATION = "PY-UNSAFE-DESERIALIZATION" Security Medium 0.8
        title "Unsafe deserialization"
        what "This loader can create any object and run code while loading; it must not read untrusted data."
        fix "Use json or a format with a schema; if the format cannot change, verify a signature before loading."
        example "data = json.loads(payload)"
        see ["CWE-502", "https://docs.python.org/3/library/pickle.html"];
    YAML_LOAD = "PY-YAML-LOAD" Security Medium 0.9
        title "YAML loaded with an unsafe loader"
        what "The chosen YAML loader can create any object and run code while loading."
        fix "Use yaml.safe_load, or pass SafeLoader."
        example "config = yaml.safe_load(stream)"
        see ["CWE-502", "https://pyyaml.org/wiki/PyYAMLDocumentation"];
    PATH_TRAVERSAL = "PY-PATH-TRAVERSAL" Security High 0.85
        title "File path from external data"
        what "A file path contains external data; parent references or an absolute path give access to unintended files."
        fix "Reduce the name with os.path.basename or secure_filename, or resolve the path and check that it stays below the base directory."
        example "path = (base / name).resolve()\nif not path.is_relative_to(base):\n    raise ValueError(\"outside of the base directory\")"
        see ["CWE-22", "https://docs.python.org/3/library/pathlib.html#pathlib.PurePath.is_relative_to"];
    HARDCODED_SECRET = "PY-HARDCODED-SECRET" Security High 0.75
        title "Secret in the source"
        what "A password, key or token is written into the code; everyone who can read the code or its history knows it."
        fix "Read it from the environment or a secret store, and replace the one that was exposed."
        example "api_key = os.environ[\"API_KEY\"]"
        see ["CWE-798"];
    SECRET_COMPARED = "PY-SECRET-COMPARED" Security Medium 0.7
        title "Secret compared with a constant"
        what "A credential is compared with a constant, so the secret is in the code, and the comparison time reveals information about it."
        fix "Keep only a salted hash of the secret and compare with hmac.compare_digest."
        example "hmac.compare_digest(given, expected)"
        see ["CWE-798", "CWE-208"];
    FLASK_SECRET_KEY = "PY-FLASK-SECRET-KEY" Security High 0.9
        title "Session signing key in the source"
        what "The key that signs sessions is a constant in the code; everyone who can read it can forge sessions."
        fix "Read the key from the environment or a secret store, and do not start without it."
        example "app.config[\"SECRET_KEY\"] = os.environ[\"SECRET_KEY\"]"
        see ["CWE-798", "CWE-321"];
    WEAK_HASH = "PY-WEAK-HASH" Security Medium 0.85
        title "Weak hash function"
        what "MD5 and SHA-1 are not collision resistant, and both are too fast for passwords."
        fix "Use SHA-256 or better for integrity and a password hash such as argon2 or scrypt for passwords; pass usedforsecurity=False for a plain checksum."
        example "digest = hashlib.sha256(data).hexdigest()"
        see ["CWE-328", "https://docs.python.org/3/library/hashlib.html"];
    WEAK_CIPHER = "PY-WEAK-CIPHER" Security High 0.9
        title "Weak cipher or mode"
        what "The cipher is broken or its key is too short, or the mode reveals equal blocks."
        fix "Use AES-GCM or ChaCha20-Poly1305 from the cryptography package."
        example "AESGCM(key).encrypt(nonce, data, None)"
        see ["CWE-327"];
    WEAK_RANDOM = "PY-WEAK-RANDOM" Security Low 0.6
        title "Predictable random numbers"
        what "The random module is made for simulations; its numbers can be predicted from earlier ones, so do not use them for tokens, passwords or keys."
        fix "Use the secrets module for values that must not be guessed."
        example "token = secrets.token_urlsafe(32)"
        see ["CWE-330", "https://docs.python.org/3/library/secrets.html"];
    INSECURE_TLS = "PY-INSECURE-TLS" Security High 0.9
        title "Certificate verification disabled"
        what "The peer's certificate is not verified, so an attacker on the network can read and change the traffic."
        fix "Enable verification, and add a private certificate authority to the trust store instead."
        example "requests.get(url, timeout=10)"
        see ["CWE-295", "https://docs.python.org/3/library/ssl.html"];
    WEAK_TLS_VERSION = "PY-WEAK-TLS-VERSION" Security Medium 0.9
        title "Outdated TLS version"
        what "SSL 2 and 3, TLS 1.0 and 1.1 are broken."
        fix "Use ssl.create_default_context, which allows TLS 1.2 and later."
        example "context = ssl.create_default_context()"
        see ["CWE-326"];
    DEBUG_ENABLED = "PY-DEBUG-ENABLED" Security Medium 0.9
        title "Debug mode enabled"
        what "Debug mode shows internals to every visitor, and its interactive debugger lets them run code."
        fix "Read the setting from the environment, disabled by default."
        example "app.run(debug=False)"
        see ["CWE-489", "https://flask.palletsprojects.com/en/stable/debugging/"];
    BIND_ALL = "PY-BIND-ALL-INTERFACES" Security Low 0.7
        title "Listens on every network interface"
        what "The service is reachable from every network the machine is connected to."
        fix "Bind to the required address only, by default the loopback address."
        example "app.run(host=\"127.0.0.1\")"
        see ["CWE-605"];
    XXE = "PY-XXE" Security Medium 0.75
        title "XML parser allows external entities"
        what "The parser resolves entities, or is not protected against them and reads external data; entities can read files and exhaust memory."
        fix "Parse with defusedxml, or disable entity resolution."
        example "tree = defusedxml.ElementTree.fromstring(text)"
        see ["CWE-611", "https://docs.python.org/3/library/xml.html#xml-security"];
    SSRF = "PY-SSRF" Security High 0.85
        title "Request to an external URL"
        what "The service fetches a URL from external data, which can name internal systems (server-side request forgery)."
        fix "Choose the host from a fixed list, and check the resolved address before connecting."
        example "if urlsplit(url).hostname not in ALLOWED_HOSTS:\n    raise ValueError(\"host is not allowed\")"
        see ["CWE-918"];
    OPEN_REDIRECT = "PY-OPEN-REDIRECT" Security Medium 0.85
        title "Redirect to an external URL"
        what "The browser is redirected to a URL from the request, so links to this site can lead to another one."
        fix "Redirect to named routes only, or check that the URL has no host."
        example "return redirect(url_for(\"index\"))"
        see ["CWE-601"];
    TEMPLATE_INJECTION = "PY-TEMPLATE-INJECTION" Security High 0.85
        title "Template built from data"
        what "The template is not a constant; template expressions in the data are executed on the server."
        fix "Keep templates in files or constants and pass data as variables."
        example "render_template(\"page.html\", name=name)"
        see ["CWE-1336"];
    AUTOESCAPE_OFF = "PY-AUTOESCAPE-OFF" Security Medium 0.8
        title "Template engine without automatic escaping"
        what "The template environment does not escape values, so data in a page can become script (cross-site scripting)."
        fix "Enable automatic escaping."
        example "Environment(autoescape=select_autoescape())"
        see ["CWE-79", "https://jinja.palletsprojects.com/en/stable/api/#autoescaping"];
    XSS = "PY-XSS" Security High 0.75
        title "Unescaped external data in a page"
        what "External data is written into a page without escaping and can run as script in the visitor's browser (cross-site scripting)."
        fix "Render it with a template that escapes, or escape the value with markupsafe.escape."
        example "return render_template(\"hello.html\", name=name)"
        see ["CWE-79"];
    LDAP_INJECTION = "PY-LDAP-INJECTION" Security High 0.85
        title "LDAP filter built from text"
        what "An LDAP filter contains unescaped data, which can widen the search."
        fix "Escape each value with escape_filter_chars."
        example "filter = f\"(uid={escape_filter_chars(name)})\""
        see ["CWE-90"];
    XPATH_INJECTION = "PY-XPATH-INJECTION" Security High 0.85
        title "XPath expression built from text"
        what "An XPath expression contains external data, which can select other nodes."
        fix "Pass values as XPath variables."
        example "root.xpath(\"//user[@id=$id]\", id=user_id)"
        see ["CWE-643"];
    LOG_INJECTION = "PY-LOG-INJECTION" Security Low 0.6
        title "External data in a log message"
        what "Line breaks in the data can forge log entries."
        fix "Log structured fields, or remove line breaks first."
        example "log.info(\"login failed\", extra={\"user\": repr(name)})"
        see ["CWE-117"];
    TRUST_BOUNDARY = "PY-TRUST-BOUNDARY" Security Medium 0.7
        title "External data stored in the session"
        what "Unchecked data from the request is stored in the session, which later code trusts."
        fix "Validate the value before storing it."
        example "session[\"theme\"] = choice if choice in THEMES else \"light\""
        see ["CWE-501"];
    REGEX_INJECTION = "PY-REGEX-INJECTION" Security Medium 0.7
        title "Regular expression from external data"
        what "An external pattern can take exponential time to match."
        fix "Escape the data with re.escape, or match with plain string methods."
        example "re.search(re.escape(text), line)"
        see ["CWE-1333"];
    HEADER_INJECTION = "PY-MAIL-HEADER-INJECTION" Security Medium 0.6
        title "External data in a mail message"
        what "External data becomes part of a mail's raw text, where line breaks can add headers and recipients."
        fix "Build messages with email.message.EmailMessage, which rejects line breaks in headers."
        example "message = EmailMessage()\nmessage[\"Subject\"] = subject"
        see ["CWE-93"];
    MKTEMP = "PY-INSECURE-TEMPFILE" Security Medium 0.9
        title "Temporary file name without a file"
        what "Another process can create a file of that name between choosing the name and opening the file."
        fix "Use NamedTemporaryFile or mkstemp, which create the file atomically."
        example "with tempfile.NamedTemporaryFile() as file:"
        see ["CWE-377", "https://docs.python.org/3/library/tempfile.html#tempfile.mktemp"];
    TEMP_PATH = "PY-TEMP-PATH" Security Low 0.5
        title "Fixed path in a shared temporary directory"
        what "Another user can create a file of this name first, because every user can write to the directory."
        fix "Use the tempfile module."
        example "with tempfile.TemporaryDirectory() as directory:"
        see ["CWE-377"];
    PERMISSIONS = "PY-LOOSE-PERMISSIONS" Security Medium 0.9
        title "File writable by every user"
        what "The mode lets every user of the machine write to the file."
        fix "Use the least permissions: 0o600 for data, 0o700 for programs."
        example "os.chmod(path, 0o600)"
        see ["CWE-732"];
    JWT_UNVERIFIED = "PY-JWT-UNVERIFIED" Security High 0.9
        title "Token read without verifying its signature"
        what "The token's signature is not verified, so an attacker can forge any claim."
        fix "Pass the key and a fixed list of algorithms, and enable verification."
        example "jwt.decode(token, key, algorithms=[\"EdDSA\"])"
        see ["CWE-347", "https://pyjwt.readthedocs.io/en/stable/api.html"];
    ASSERT_USED = "PY-ASSERT-CHECK" Security Low 0.6
        title "Check made with assert"
        what "Python removes assertions when it runs with optimisation, and the check with them."
        fix "Raise an exception explicitly."
        example "if not user.is_admin:\n    raise PermissionError"
        see ["CWE-617"];
    EXCEPTION_SWALLOWED = "PY-EXCEPTION-SWALLOWED" Security Low 0.7
        title "Every exception ignored"
        what "All errors are caught and ignored, including those that indicate an attack or a fault."
        fix "Catch the expected exception, and log the others."
        example "except FileNotFoundError:\n    log.info(\"no cache yet\")"
        see ["CWE-703"];
    COOKIE_INSECURE = "PY-COOKIE-INSECURE" Security Medium 0.85
        title "Cookie without protection"
        what "The cookie may be sent without encryption, or scripts can read it."
        fix "Set secure, httponly and samesite."
        example "response.set_cookie(name, value, secure=True, httponly=True, samesite=\"Lax\")"
        see ["CWE-614", "CWE-1004"];
    SSH_HOST_KEY = "PY-SSH-HOST-KEY" Security High 0.9
        title "Unknown SSH host keys accepted"
        what "The client accepts any host key, so it cannot detect an impostor."
        fix "Load known hosts and keep RejectPolicy."
        example "client.load_system_host_keys()"
        see ["CWE-295"];
    ARCHIVE_EXTRACT = "PY-ARCHIVE-EXTRACT" Security Medium 0.8
        title "Archive unpacked without a filter"
        what "Archive entries can be links, devices or paths outside the target directory."
        fix "Pass the data filter, and unpack into an empty directory."
        example "archive.extractall(target, filter=\"data\")"
        see ["CWE-22", "https://docs.python.org/3/library/tarfile.html#extraction-filters"];
    CLEARTEXT_PROTOCOL = "PY-CLEARTEXT-PROTOCOL" Security Medium 0.8
        title "Protocol without encryption"
        what "Telnet and plain FTP send all data, including passwords, in clear text."
        fix "Use SSH, SFTP or FTP over TLS."
        see ["CWE-319"];
    NO_TIMEOUT = "PY-REQUEST-TIMEOUT" Security Low 0.8
        title "Network call without a timeout"
        what "Without a timeout the call waits forever if the peer does not respond."
        fix "Pass a timeout."
        example "requests.get(url, timeout=10)"
        see ["CWE-400", "https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts"];
    CSRF_DISABLED = "PY-CSRF-DISABLED" Security Medium 0.8
        title "Protection against forged requests disabled"
        what "Another site can make a visitor's browser send this request (cross-site request forgery)."
        fix "Enable the protection, and exempt only handlers that authenticate by token."
        see ["CWE-352"];
    CORS_ANY = "PY-CORS-ANY-ORIGIN" Security Medium 0.8
        title "Every origin allowed with credentials"
        what "Scripts of any site can call this service with the visitor's credentials."
        fix "List the allowed origins."
        example "CORSMiddleware(app, allow_origins=[\"https://app.example.org\"])"
        see ["CWE-942"];
    REGEX_DENIAL = "PY-REGEX-BACKTRACKING" Security Medium 0.6
        title "Regular expression with exponential backtracking"
        what "Nested repetition can take exponential time to match some texts."
        fix "Make the inner repetition unambiguous, or limit the length of the text."
        see ["CWE-1333"];
    MASS_ASSIGNMENT = "PY-ATTRIBUTE-INJECTION" Security Medium 0.7
        title "Attribute name from external data"
        what "An attribute is read or set by a name from external data, which gives access to internal attributes."
        fix "Choose the name from a fixed list."
        example "if field in EDITABLE:\n    setattr(user, field, value)"
        see ["CWE-915"];
    DEPENDENCY = "PY-DEPENDENCY-ABANDONED" Security Medium 0.9
        title "Abandoned dependency"
        what "The project depends on a package that is no longer maintained and has known vulnerabilities."
        fix "Switch to the maintained successor."
        see ["CWE-1104"];
}
