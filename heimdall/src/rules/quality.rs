use super::rule::rules;

rules! {
    STRING_CONCAT_IN_LOOP = "PY-PERF-CONCAT-IN-LOOP" Performance Medium 0.7
        title "String concatenation in a loop"
        what "Each concatenation can copy the whole string, so the loop may take quadratic time."
        fix "Collect the pieces in a list and join them once."
        example "parts.append(piece)\ntext = \"\".join(parts)"
        see ["https://docs.python.org/3/faq/programming.html"];
    MEMBERSHIP_IN_LOOP = "PY-PERF-LIST-MEMBERSHIP" Performance Medium 0.75
        title "List searched in a loop"
        what "A membership test on a list scans its elements in every iteration."
        fix "Convert the list to a set before the loop."
        example "known = set(items)"
        see ["https://wiki.python.org/moin/TimeComplexity"];
    QUADRATIC_LOOP = "PY-PERF-QUADRATIC-LOOP" Performance Medium 0.7
        title "Nested loops over the same collection"
        what "The run time grows with the square of the collection's size."
        fix "Use a dictionary or set for the inner lookup, or itertools.combinations for pairs."
        example "by_key = {item.key: item for item in items}"
        see ["https://wiki.python.org/moin/TimeComplexity"];
    DEEP_LOOP = "PY-PERF-NESTED-LOOPS" Performance Medium 0.6
        title "Loops nested three deep"
        what "Three or more nested loops are rarely fast for large data."
        fix "Index the data first, or replace the inner loops by one pass."
        see ["https://wiki.python.org/moin/TimeComplexity"];
    REGEX_IN_LOOP = "PY-PERF-REGEX-IN-LOOP" Performance Low 0.7
        title "Pattern compiled in a loop"
        what "The pattern is looked up or compiled in every iteration."
        fix "Compile it once before the loop."
        example "pattern = re.compile(text)\nfor line in lines:\n    pattern.search(line)"
        see ["https://docs.python.org/3/library/re.html#re.compile"];
    QUERY_IN_LOOP = "PY-PERF-QUERY-IN-LOOP" Performance Medium 0.75
        title "Database query in a loop"
        what "Every iteration waits for its own round trip (the N+1 problem)."
        fix "Fetch all rows with one query, or send the changes as one batch."
        example "cursor.executemany(query, rows)"
        see ["https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html"];
    REQUEST_IN_LOOP = "PY-PERF-REQUEST-IN-LOOP" Performance Low 0.6
        title "Network request in a loop"
        what "The requests run one after another, and each may open its own connection."
        fix "Use one session, and send independent requests concurrently."
        see ["https://requests.readthedocs.io/en/latest/user/advanced/#session-objects"];
    BLOCKING_IN_ASYNC = "PY-PERF-BLOCKING-IN-ASYNC" Performance High 0.9
        title "Blocking call in a coroutine"
        what "The call blocks the event loop and with it every other task."
        fix "Use the asynchronous counterpart, or asyncio.to_thread."
        example "await asyncio.sleep(1)"
        see ["https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code"];
    SORT_FOR_EXTREME = "PY-PERF-SORT-FOR-EXTREME" Performance Medium 0.9
        title "Sorted to take one element"
        what "The whole collection is sorted to get its smallest or largest element."
        fix "Use min or max."
        example "smallest = min(items)"
        see ["https://docs.python.org/3/library/functions.html#min"];
    RANGE_LEN = "PY-PERF-RANGE-LEN" Performance Low 0.8
        title "Loop over indices"
        what "Iterating over indices is slower and harder to read than iterating over the elements."
        fix "Iterate over the collection; use enumerate if the index is needed."
        example "for index, item in enumerate(items):"
        see ["https://docs.python.org/3/library/functions.html#enumerate"];
    NEEDLESS_LIST = "PY-PERF-NEEDLESS-LIST" Performance Low 0.8
        title "List built only to be read once"
        what "The list is built in memory although its consumer reads one element at a time."
        fix "Pass the generator or the iterable itself."
        example "total = sum(item.size for item in items)"
        see ["https://docs.python.org/3/howto/functional.html"];
    NEEDLESS_COPY_IN_LOOP = "PY-PERF-COPY-IN-LOOP" Performance Medium 0.7
        title "Deep copy in a loop"
        what "A deep copy traverses the whole structure in every iteration."
        fix "Copy once, or build only what changes."
        see ["https://docs.python.org/3/library/copy.html"];
    INSERT_AT_FRONT = "PY-PERF-LIST-FRONT" Performance Medium 0.8
        title "List used as a queue"
        what "Inserting or removing at the front of a list moves every other element."
        fix "Use collections.deque."
        example "queue = collections.deque()\nqueue.popleft()"
        see ["https://docs.python.org/3/library/collections.html#collections.deque"];
    READ_WHOLE_FILE = "PY-PERF-READLINES" Performance Low 0.7
        title "Whole file read to iterate over its lines"
        what "All lines are held in memory although they are processed one at a time."
        fix "Iterate over the file itself."
        example "for line in file:"
        see ["https://docs.python.org/3/tutorial/inputoutput.html"];
    DATAFRAME_ROWS = "PY-PERF-DATAFRAME-ROWS" Performance Medium 0.8
        title "Data frame processed row by row"
        what "Loops over the rows of a data frame are orders of magnitude slower than column operations."
        fix "Use vectorised column operations."
        see ["https://pandas.pydata.org/docs/user_guide/basics.html#iteration"];
    OPEN_WITHOUT_WITH = "PY-OPEN-WITHOUT-WITH" Performance Low 0.75
        title "File opened without a with block"
        what "The file stays open if an error occurs before it is closed."
        fix "Open it in a with statement."
        example "with open(path, encoding=\"utf-8\") as file:\n    text = file.read()"
        see ["https://docs.python.org/3/reference/compound_stmts.html#with"];
    RECURSION_UNCACHED = "PY-PERF-REPEATED-RECURSION" Performance Medium 0.7
        title "Function calls itself several times"
        what "A function that calls itself more than once for each call, without a cache, often takes exponential time."
        fix "Cache the results, or turn the recursion into a loop."
        example "@functools.cache\ndef count(n):"
        see ["https://docs.python.org/3/library/functools.html#functools.cache"];
    MUTABLE_DEFAULT = "PY-MUTABLE-DEFAULT" Style Medium 0.95
        title "Mutable default value"
        what "The default is created once and shared by all calls, so a change in one call affects the next."
        fix "Use None as the default and create the object in the function."
        example "def add(item, target=None):\n    target = [] if target is None else target"
        see ["https://docs.python.org/3/faq/programming.html"];
    BARE_EXCEPT = "PY-BARE-EXCEPT" Style Medium 0.9
        title "Except without an exception type"
        what "It also catches KeyboardInterrupt and SystemExit."
        fix "Name the expected exception."
        example "except ValueError:"
        see ["https://docs.python.org/3/tutorial/errors.html"];
    SHADOWED_BUILTIN = "PY-SHADOWED-BUILTIN" Style Low 0.9
        title "Built-in name reused"
        what "The name of a built-in function or type is bound to something else."
        fix "Choose another name."
        see ["https://docs.python.org/3/library/functions.html"];
    COMPARE_NONE = "PY-COMPARE-NONE" Style Low 0.9
        title "Comparison with None by equality"
        what "Classes can redefine equality; an identity check is intended."
        fix "Use is None or is not None."
        example "if value is None:"
        see ["https://peps.python.org/pep-0008/"];
    COMPARE_BOOL = "PY-COMPARE-BOOL" Style Low 0.8
        title "Comparison with a boolean"
        what "The value can be tested directly."
        fix "Remove the comparison."
        example "if ready:"
        see ["https://peps.python.org/pep-0008/"];
    WILDCARD_IMPORT = "PY-WILDCARD-IMPORT" Style Low 0.95
        title "Wildcard import"
        what "The imported names are not visible in the code and may change with the module's version."
        fix "Import the used names explicitly."
        see ["https://peps.python.org/pep-0008/"];
    MISSING_DOCSTRING = "PY-MISSING-DOCSTRING" Style Low 0.8
        title "Public definition without documentation"
        what "A public function or class of some size has no docstring."
        fix "Add a docstring of one sentence that states its purpose."
        see ["https://peps.python.org/pep-0257/"];
    TYPE_COMPARED = "PY-TYPE-COMPARED" Style Low 0.8
        title "Type compared by equality"
        what "Subclasses are not equal to their base class."
        fix "Use isinstance."
        example "if isinstance(value, int):"
        see ["https://docs.python.org/3/library/functions.html#isinstance"];
    UNREACHABLE = "PY-UNREACHABLE" Style Medium 0.9
        title "Unreachable code"
        what "The preceding statement always leaves the block."
        fix "Remove the code, or the early exit."
        see ["CWE-561"];
    TOO_MANY_PARAMETERS = "PY-TOO-MANY-PARAMETERS" Architecture Medium 0.9
        title "Too many parameters"
        what "A function with this many parameters is hard to call correctly."
        fix "Group related parameters into a class."
        example "@dataclass\nclass Options:"
        see ["https://docs.python.org/3/library/dataclasses.html"];
    LONG_FUNCTION = "PY-LONG-FUNCTION" Architecture Medium 0.9
        title "Long function"
        what "The function is too long to understand as a whole."
        fix "Split it into named steps."
        see ["CWE-1080"];
    COMPLEX_FUNCTION = "PY-COMPLEX-FUNCTION" Architecture Medium 0.9
        title "Complex function"
        what "The function has many independent paths, each of which needs a test."
        fix "Split it, or replace conditions with a table."
        see ["CWE-1121"];
    DEEP_NESTING = "PY-DEEP-NESTING" Architecture Medium 0.9
        title "Deeply nested blocks"
        what "The reader has to remember every enclosing condition."
        fix "Return early, or move the inner part into a function."
        see ["CWE-1124"];
    GOD_CLASS = "PY-GOD-CLASS" Architecture Medium 0.8
        title "Class with too many responsibilities"
        what "A class with this many methods has more than one responsibility."
        fix "Split it by responsibility."
        see ["CWE-1093"];
    GLOBAL_STATE = "PY-GLOBAL-STATE" Architecture Medium 0.8
        title "Global variable changed in a function"
        what "Every call of the function changes state that other code depends on, and threads can race for it."
        fix "Pass the state as an argument, or keep it in an object."
        see ["CWE-1108"];
    LOCAL_IMPORT = "PY-LOCAL-IMPORT" Architecture Low 0.6
        title "Import inside a function"
        what "It hides a dependency and is often a workaround for a circular import."
        fix "Import at the top; break a cycle by moving the shared code."
        see ["https://peps.python.org/pep-0008/"];
    LONG_CHAIN = "PY-LONG-IF-CHAIN" Architecture Low 0.8
        title "Long chain of conditions"
        what "A statement with many alternatives is hard to extend."
        fix "Use a dictionary of functions, or match."
        see ["CWE-1121"];
    DEEP_INHERITANCE = "PY-MANY-BASES" Architecture Low 0.7
        title "Class with many bases"
        what "The method resolution order is hard to predict."
        fix "Prefer composition."
        see ["CWE-1074"];
    LARGE_MODULE = "PY-LARGE-MODULE" Architecture Low 0.8
        title "Large module"
        what "A file of this size holds more than one concern."
        fix "Split it by concern."
        see ["CWE-1080"];
}
