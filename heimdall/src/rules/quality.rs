use super::rule::rules;

rules! {
    STRING_CONCAT_IN_LOOP = "PY-PERF-CONCAT-IN-LOOP" Performance Medium 0.7
        title "Text grown in a loop"
        what "Each addition can copy all of the text so far, so the loop may take quadratic time."
        fix "Collect the pieces in a list and join them once."
        example "parts.append(piece)\ntext = \"\".join(parts)"
        see ["https://docs.python.org/3/faq/programming.html"];
    MEMBERSHIP_IN_LOOP = "PY-PERF-LIST-MEMBERSHIP" Performance Medium 0.75
        title "List searched in a loop"
        what "Membership in a list looks at every element, once for each turn of the loop."
        fix "Make it a set before the loop."
        example "known = set(items)"
        see ["https://wiki.python.org/moin/TimeComplexity"];
    QUADRATIC_LOOP = "PY-PERF-QUADRATIC-LOOP" Performance Medium 0.7
        title "Nested loops over the same collection"
        what "The work grows with the square of the collection's size."
        fix "Use a dictionary or set for the inner look-up, or itertools.combinations where pairs are wanted."
        example "by_key = {item.key: item for item in items}"
        see ["https://wiki.python.org/moin/TimeComplexity"];
    DEEP_LOOP = "PY-PERF-NESTED-LOOPS" Performance Medium 0.6
        title "Loops nested three deep"
        what "Three or more nested loops rarely stay fast when the data grows."
        fix "Index the data first, or move the inner loops into one pass."
        see ["https://wiki.python.org/moin/TimeComplexity"];
    REGEX_IN_LOOP = "PY-PERF-REGEX-IN-LOOP" Performance Low 0.7
        title "Pattern compiled in a loop"
        what "The pattern is looked up or compiled again in each turn of the loop."
        fix "Compile it once before the loop."
        example "pattern = re.compile(text)\nfor line in lines:\n    pattern.search(line)"
        see ["https://docs.python.org/3/library/re.html#re.compile"];
    QUERY_IN_LOOP = "PY-PERF-QUERY-IN-LOOP" Performance Medium 0.75
        title "Database query in a loop"
        what "Each turn of the loop waits for a round trip of its own (the N+1 problem)."
        fix "Fetch all rows with one query, or send the changes as one batch."
        example "cursor.executemany(query, rows)"
        see ["https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html"];
    REQUEST_IN_LOOP = "PY-PERF-REQUEST-IN-LOOP" Performance Low 0.6
        title "Network request in a loop"
        what "The requests wait for each other, and each may open a connection of its own."
        fix "Use one session, and send independent requests concurrently."
        see ["https://requests.readthedocs.io/en/latest/user/advanced/#session-objects"];
    BLOCKING_IN_ASYNC = "PY-PERF-BLOCKING-IN-ASYNC" Performance High 0.9
        title "Blocking call in a coroutine"
        what "The call blocks the event loop, so every other task stands still meanwhile."
        fix "Use the asynchronous counterpart, or asyncio.to_thread."
        example "await asyncio.sleep(1)"
        see ["https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code"];
    SORT_FOR_EXTREME = "PY-PERF-SORT-FOR-EXTREME" Performance Medium 0.9
        title "Sorted to take one element"
        what "The whole collection is sorted although one end of it is wanted."
        fix "Use min or max."
        example "smallest = min(items)"
        see ["https://docs.python.org/3/library/functions.html#min"];
    RANGE_LEN = "PY-PERF-RANGE-LEN" Performance Low 0.8
        title "Loop over indices"
        what "Going through indices to reach elements is slower and harder to read than going through the elements."
        fix "Loop over the collection, with enumerate where the index is needed."
        example "for index, item in enumerate(items):"
        see ["https://docs.python.org/3/library/functions.html#enumerate"];
    NEEDLESS_LIST = "PY-PERF-NEEDLESS-LIST" Performance Low 0.8
        title "List built only to be read once"
        what "The list is built in memory although its consumer takes elements one by one."
        fix "Pass the generator or the iterable itself."
        example "total = sum(item.size for item in items)"
        see ["https://docs.python.org/3/howto/functional.html"];
    NEEDLESS_COPY_IN_LOOP = "PY-PERF-COPY-IN-LOOP" Performance Medium 0.7
        title "Deep copy in a loop"
        what "A deep copy walks the whole structure in each turn of the loop."
        fix "Copy once, or build only what changes."
        see ["https://docs.python.org/3/library/copy.html"];
    INSERT_AT_FRONT = "PY-PERF-LIST-FRONT" Performance Medium 0.8
        title "List used as a queue"
        what "Inserting or removing at the front of a list moves every other element."
        fix "Use collections.deque."
        example "queue = collections.deque()\nqueue.popleft()"
        see ["https://docs.python.org/3/library/collections.html#collections.deque"];
    READ_WHOLE_FILE = "PY-PERF-READLINES" Performance Low 0.7
        title "Whole file read to go through its lines"
        what "All lines are held in memory although they are handled one by one."
        fix "Loop over the file itself."
        example "for line in file:"
        see ["https://docs.python.org/3/tutorial/inputoutput.html"];
    DATAFRAME_ROWS = "PY-PERF-DATAFRAME-ROWS" Performance Medium 0.8
        title "Data frame handled row by row"
        what "Row by row loops over a data frame are orders of magnitude slower than column operations."
        fix "Use vectorised column operations."
        see ["https://pandas.pydata.org/docs/user_guide/basics.html#iteration"];
    OPEN_WITHOUT_WITH = "PY-OPEN-WITHOUT-WITH" Performance Low 0.75
        title "File opened without a with block"
        what "The file stays open when an error occurs before it is closed."
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
        what "The default is made once and shared by all calls, so a change in one call shows in the next."
        fix "Default to None and make the object inside."
        example "def add(item, target=None):\n    target = [] if target is None else target"
        see ["https://docs.python.org/3/faq/programming.html"];
    BARE_EXCEPT = "PY-BARE-EXCEPT" Style Medium 0.9
        title "Except without an exception type"
        what "It also catches keyboard interrupts and the request to exit."
        fix "Name the exception that is expected."
        example "except ValueError:"
        see ["https://docs.python.org/3/tutorial/errors.html"];
    SHADOWED_BUILTIN = "PY-SHADOWED-BUILTIN" Style Low 0.9
        title "Built-in name reused"
        what "The name of a built-in function or type is bound to something else."
        fix "Choose another name."
        see ["https://docs.python.org/3/library/functions.html"];
    COMPARE_NONE = "PY-COMPARE-NONE" Style Low 0.9
        title "Comparison with None by equality"
        what "Classes can redefine equality; identity is meant."
        fix "Use is None or is not None."
        example "if value is None:"
        see ["https://peps.python.org/pep-0008/"];
    COMPARE_BOOL = "PY-COMPARE-BOOL" Style Low 0.8
        title "Comparison with a truth value"
        what "The value can be tested itself."
        fix "Drop the comparison."
        example "if ready:"
        see ["https://peps.python.org/pep-0008/"];
    WILDCARD_IMPORT = "PY-WILDCARD-IMPORT" Style Low 0.95
        title "Wildcard import"
        what "Nobody can see which names it brings, and later versions may bring more."
        fix "Import the names that are used."
        see ["https://peps.python.org/pep-0008/"];
    MISSING_DOCSTRING = "PY-MISSING-DOCSTRING" Style Low 0.8
        title "Public definition without documentation"
        what "A public function or class of some size has no docstring."
        fix "Say in one sentence what it does."
        see ["https://peps.python.org/pep-0257/"];
    TYPE_COMPARED = "PY-TYPE-COMPARED" Style Low 0.8
        title "Type compared by equality"
        what "Subclasses are not equal to their base class."
        fix "Use isinstance."
        example "if isinstance(value, int):"
        see ["https://docs.python.org/3/library/functions.html#isinstance"];
    UNREACHABLE = "PY-UNREACHABLE" Style Medium 0.9
        title "Code that is never reached"
        what "The statement before always leaves the block."
        fix "Remove the code, or the early exit."
        see ["CWE-561"];
    TOO_MANY_PARAMETERS = "PY-TOO-MANY-PARAMETERS" Architecture Medium 0.9
        title "Too many parameters"
        what "A function with this many parameters is hard to call correctly."
        fix "Group what belongs together into a class."
        example "@dataclass\nclass Options:"
        see ["https://docs.python.org/3/library/dataclasses.html"];
    LONG_FUNCTION = "PY-LONG-FUNCTION" Architecture Medium 0.9
        title "Long function"
        what "The function is longer than a reader can hold in mind."
        fix "Split it into steps with names."
        see ["CWE-1080"];
    COMPLEX_FUNCTION = "PY-COMPLEX-FUNCTION" Architecture Medium 0.9
        title "Complex function"
        what "The function has many independent paths, each of which needs a test."
        fix "Split it, or replace conditions by a table."
        see ["CWE-1121"];
    DEEP_NESTING = "PY-DEEP-NESTING" Architecture Medium 0.9
        title "Deeply nested blocks"
        what "The reader has to keep every enclosing condition in mind."
        fix "Return early, or move the inner part into a function."
        see ["CWE-1124"];
    GOD_CLASS = "PY-GOD-CLASS" Architecture Medium 0.8
        title "Class with too many duties"
        what "A class with this many methods or attributes does more than one thing."
        fix "Split it along its duties."
        see ["CWE-1093"];
    GLOBAL_STATE = "PY-GLOBAL-STATE" Architecture Medium 0.8
        title "Global variable changed in a function"
        what "Whoever calls the function changes state that others depend on, and threads race for it."
        fix "Pass the state in, or keep it in an object."
        see ["CWE-1108"];
    LOCAL_IMPORT = "PY-LOCAL-IMPORT" Architecture Low 0.6
        title "Import inside of a function"
        what "It hides a dependency and is often a way around a circular import."
        fix "Import at the top; break the circle by moving what both sides share."
        see ["https://peps.python.org/pep-0008/"];
    LONG_CHAIN = "PY-LONG-IF-CHAIN" Architecture Low 0.8
        title "Long chain of conditions"
        what "Many alternatives in one statement are hard to extend."
        fix "Use a dictionary of functions, or match."
        see ["CWE-1121"];
    DEEP_INHERITANCE = "PY-MANY-BASES" Architecture Low 0.7
        title "Class with many bases"
        what "The order in which methods are found is hard to predict."
        fix "Prefer composition."
        see ["CWE-1074"];
    LARGE_MODULE = "PY-LARGE-MODULE" Architecture Low 0.8
        title "Large module"
        what "A file of this size holds more than one concern."
        fix "Split it by concern."
        see ["CWE-1080"];
}
