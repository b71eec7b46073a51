"""Put what one manifest's application holds into another's: merge_manifest.py MAIN DEBUG.

Enough of Google's manifest merger for this app: the debug manifest adds activities and nothing
else, and anything else in it is an error.
"""

import sys
import xml.etree.ElementTree as ET

ANDROID = "http://schemas.android.com/apk/res/android"
PACKAGE = "org.mobilefsgan.demo"  # Gradle's `namespace`


def merged(main: str, debug: str) -> ET.Element:
    """The main manifest with the debug manifest's activities, and the package name."""
    root = ET.parse(main).getroot()
    extra = ET.parse(debug).getroot()
    into, adds = root.find("application"), extra.find("application")
    if into is None or adds is None or len(extra) != 1:
        raise SystemExit(f"{debug} may hold one <application> and nothing else")
    into.extend(adds)
    root.set("package", PACKAGE)
    return root


if __name__ == "__main__":
    ET.register_namespace("android", ANDROID)
    print(ET.tostring(merged(*sys.argv[1:3]), encoding="unicode"))
