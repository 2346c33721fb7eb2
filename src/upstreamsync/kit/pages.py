"""What pages for people have in their texts that is none to a program: odd spaces, includes not expanded."""

from __future__ import annotations

import re

#: Spaces that are none to YAML, and characters that nobody sees.
ODD_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
#: What a page's own machinery replaces when it is built; alone on its line.
INCLUDE = re.compile(
    r"^[ \t]*(?:"
    r"\{\{[<%]-?\s*/?\s*(?:codenew|code_sample|code|include|readfile|snippet|literalinclude|embed|text)\b.*"
    r"|\{%-?\s*(?:include|include_relative|embed|code|data|codeblock)\b.*"
    r"|--8<--.*|\.\. (?:literalinclude|include)::.*|include::\S+\[.*\]|<!--\s*#include\b.*"
    r"|\{!\s*\S+\s*!\}|@\[code.*\]\(.*\)|<<<\s*@?\S+|\[embedmd\]:#.*|:::\s*code\s+source=.*"
    r"|!INCLUDE\b.*|\[!(?:INCLUDE|code)\b.*\]\(.*\))[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
