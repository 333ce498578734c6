"""Adds up JUnit files. Usage: count_results.py STAGES_FAILED FILE...

Prints the closing line of ops/test. A stage that failed without a failed test of its own (a build, a
lint) counts as one."""

import sys
import xml.etree.ElementTree as ElementTree


def main():
    stages_failed = int(sys.argv[1])
    passed = failed = skipped = files_failed = 0
    for path in sys.argv[2:]:
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError):
            continue
        failed_before = failed
        for case in root.iter("testcase"):
            tags = {child.tag for child in case}
            if tags & {"failure", "error"}:
                failed += 1
            elif "skipped" in tags or case.get("status") in ("disabled", "notrun"):
                skipped += 1
            else:
                passed += 1
        files_failed += failed > failed_before
    failed += max(0, stages_failed - files_failed)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    main()
