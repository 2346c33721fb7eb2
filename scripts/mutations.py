"""The safeguards that scripts/mutation.py breaks: where each stands, what is put in its place, and who has to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """``old`` stands once in ``file`` (below src/upstreamsync) and becomes ``new``; ``tests`` are pytest's words."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _m(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(name=name, file=file, old=old, new=new, tests=tests)


MUTATIONS: tuple[Mutation, ...] = (
    # -- bytes are those that were promised
    _m("a checksum is compared", "sources/checksums.py", "if actual != expected.lower():", "if False:", "tests/sources/test_url.py"),
    _m("a blob of a registry is held against its digest", "kit/http/oci.py", "    if actual != digest:", "    if False:", "tests/kit/http/test_oci.py"),
    _m("an object of git is held against its id", "kit/git/objects.py", "if _oid(kind, content, len(oid)) != oid:", "if False:", "tests/trust/test_cache_poisoned.py", "-k", "object"),
    _m("a base is held against its lock", "lock.py", "if _differs(read(path), lock.files[path])", "if False", "tests/test_lock.py"),
    _m("an entry of the cache has to be sealed", "kit/store/cache.py", "return data if is_sealed(self._key, (namespace, key), data, sealed) else None", "return data", "tests/trust/test_cache_poisoned.py", "-k", "changed"),
    _m("a seal is for its own place", "kit/store/seal.py", "for part in (_MADE_BY, *name):", "for part in (_MADE_BY,):", "tests/trust/test_cache_poisoned.py", "-k", "own_place"),
    _m("a seal is of its own version", "kit/store/seal.py", "for part in (_MADE_BY, *name):", "for part in name:", "tests/trust/test_cache_poisoned.py", "-k", "another_version"),
    _m("the key of the cache is the user's alone", "kit/store/seal.py", "facts.st_mode & others", "False", "tests/trust/test_cache_poisoned.py", "-k", "the_key"),
    _m("a pinned tool has to be what was installed", "kit/run/engines.py", "if is_sealed(key, (\"tool\", tool.parent.name), data, sealed):", "if True:", "tests/trust/test_cache_poisoned.py", "-k", "tool"),
    _m("the configuration of a store is written anew", "kit/git/store.py", "    _write(store, url)\n\n\ndef start_over", "\n\ndef start_over", "tests/trust/test_cache_poisoned.py", "-k", "configuration"),
    _m("what leads a store elsewhere is removed", "kit/git/store.py", "        if name not in _KEPT:", "        if False:", "tests/trust/test_cache_poisoned.py", "-k", "configuration"),
    # -- nothing inside is reached
    _m("a connection is judged by its address", "kit/http/wire.py", "        if self._may_be_inside(host, port):", "        if True:", "tests/kit/http/test_inside.py"),
    _m("an address that is spelled out is judged", "kit/http/addresses.py", "        check_spelling(url, named)", "        pass", "tests/kit/http/test_inside.py"),
    _m("a name is resolved once", "kit/http/wire.py", "        return connect(judged[-1])", "        return connect(host)", "tests/kit/http/test_inside.py"),
    _m("an IPv4 address inside an IPv6 one is judged", "kit/http/inside.py", "    for embedded in _embedded(address):", "    for embedded in ():", "tests/kit/http/test_inside.py"),
    _m("a named host is named with its port", "kit/http/inside.py", "if (host, None) in self.hosts or (host, port) in self.hosts:", "if any(host == one for one, _ in self.hosts):", "tests/kit/http/test_inside.py"),
    _m("git follows no redirect", "kit/git/command.py", "(\"http.followRedirects\", \"false\")", "(\"http.followRedirects\", \"true\")", "tests/trust/test_addresses.py"),
    _m("https never steps down to http", "kit/http/addresses.py", "if urlsplit(url).scheme == \"https\" and parts.scheme == \"http\":", "if False:", "tests/kit/http/test_client.py"),
    _m("plain http needs leave", "kit/http/addresses.py", "if parts.scheme == \"http\" and not allow_http and not is_loopback(host):", "if False:", "tests/kit/http/test_client.py"),
    # -- secrets stay
    _m("a redirect to another host takes no credentials along", "kit/http/client.py", "                given.pop(\"authorization\", None)", "                pass", "tests/kit/http/test_client.py"),
    _m("nor those that belong to the first host", "kit/http/client.py", "own = own if own and own == self.credentials.for_url(target) else {}", "own = own", "tests/kit/http/test_client.py"),
    _m("what nobody has answered is looked at here", "kit/run/aside.py", "return self._function(data) if answer is None else answer", "return True if answer is None else answer", "tests/kit/run/test_aside.py"),
    _m("where something is built it is judged", "project/verify/verification.py", "    if any(map(is_kustomization, paths)):\n        return True\n", "", "tests/project/update/test_nothing_built.py"),
    _m("a child sees none of our environment", "kit/run/process.py", "    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}", "    found = dict(os.environ)", "tests/kit/run/test_process.py"),
    _m("what is registered is redacted", "kit/redact.py", "            text = text.replace(secret, MASK)", "            pass", "tests/kit/test_redact.py"),
    _m("what looks like a secret is redacted", "kit/redact.py", "    return _SHAPES.sub(_mask, text)", "    return text", "tests/kit/test_redact.py"),
    # -- nothing of a stranger's is run
    _m("a folder that looks like a repository is none", "kit/git/checkout.py", "if os.path.lexists(one / \".git\")), folder)", "if False), folder)", "tests/kit/git/test_repository.py", "-k", "looks_like"),
    _m("hooks are off", "kit/git/command.py", "    \"core.hooksPath=/dev/null\",\n", "", "tests/kit/git/test_repository.py"),
    _m("engines have an empty home", "kit/run/sealed.py", "        \"HOME\": f\"{home}\",\n", "        \"HOME\": \"/root\",\n", "tests/kit/run/test_sealed_environment.py"),
    _m("engines have proxies to a dead port", "kit/run/sealed.py", "        **{name: \"http://127.0.0.1:9\" for word in proxies for name in (word, word.upper())},\n", "", "tests/kit/run/test_sandbox.py"),
    _m("no value is an option", "kit/run/sealed.py", "    if text.startswith(\"-\") or not text.isprintable():", "    if False:", "tests/kit/run/test_sealed_engines.py"),
    _m("a kustomization of a stranger's is held to the rule", "kit/kubernetes/foreign.py", "        if found is not None and found.allow not in allow:", "        if False:", "tests/trust/test_foreign_kustomizations.py", "-k", "update"),
    _m("sockets are refused", "kit/run/sandbox.py", "    if can.sockets:\n        _restrict_sockets()\n", "", "tests/kit/run/test_sandbox.py"),
    _m("files elsewhere are refused", "kit/run/sandbox.py", "        _call(_libc().syscall(_RESTRICT_SELF, ruleset, 0))\n", "        pass\n", "tests/kit/run/test_sandbox.py"),
    _m("what a run was started with is hidden", "kit/run/secrecy.py", "        _overwrite_environment()\n", "        pass\n", "tests/kit/run/test_sandbox.py"),
    _m("no schema refers outside of its chart", "kit/kubernetes/chart_schemas.py", "        if key in _REFERENCES and not value.startswith(\"#\"):", "        if False:", "tests/kit/kubernetes/test_chart_schemas.py"),
    _m("schemas of packed subcharts are looked at", "kit/kubernetes/chart_schemas.py", "        elif \"charts/\" in file.path and file.data[:2] == b\"\\x1f\\x8b\":", "        elif False:", "tests/kit/kubernetes/test_chart_schemas.py"),
    _m("kustomize is not given what it would fetch", "verify/build/unbuildable.py", "                if found.remote or (", "                if (False) and (", "tests/verify/build/test_unbuildable.py"),
    _m("values of a kustomization are no options of helm", "verify/build/inflate.py", "        if value.startswith(\"-\") or not value.isprintable():", "        if False:", "tests/verify/build/test_unbuildable.py"),
    _m("values files stay below their kustomization", "verify/build/inflate.py", "    if name.startswith(\"/\") or not inside or not tree.is_file(path):", "    if False:", "tests/verify/build/test_unbuildable.py"),
    _m("a generator needs leave", "sources/command.py", "    if not job.tools.allow_commands:", "    if False:", "tests/sources/test_command.py"),
    # -- files stay where they belong
    _m("what git keeps is no part of a tree", "verify/overlays/tree.py", " and not _is_of_git(real.relative_to(self._real).parts)", "", "tests/verify/test_git_is_not_read.py"),
    _m("YAML without an end is not given to kustomize", "kit/run/engines.py", "        refuse_boundless(FilesBelow(root), inside)", "        pass", "tests/kit/run/test_endless.py", "-k", "quotes"),
    _m("the memory of engines is bounded", "kit/run/process.py", "        resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))\n", "", "tests/kit/run/test_sealed_engines.py", "-k", "memory"),
    _m("a path may not leave its folder", "kit/paths.py", "        if segment in {\"\", \".\", \"..\"}:", "        if False:", "tests/kit/test_archives.py"),
    _m("what git does not know is not read", "project/verify/known.py", "    if not listed.others and not any(", "    if True or not any(", "tests/project/verify/test_known.py", "-k", "beside"),
    _m("what a commit names is not about to be added", "project/verify/fresh.py", "if path not in gone and within(path, new)", "if True", "tests/project/verify/test_known.py", "-k", "beside"),
    _m("another checkout is no submodule of a change's", "project/verify/known.py", "        if (same or full not in committed) and", "        if", "tests/project/verify/test_known.py", "-k", "checkout"),
    _m("a clone is not read for a submodule that only a change names", "references/submodules.py", "if permits.knows(remote) and", "if", "tests/project/verify/test_known.py", "-k", "checkout"),
    _m("a result is written through no link of the checkout", "cli/paths.py", "and os.path.realpath(place) != place:", "and False:", "tests/cli/test_written_results.py"),
    _m("a version of a tool is nothing else", "config/spec/types.py", "    if _TOOL_VERSION.fullmatch(value) is None:", "    if False:", "tests/config/test_load.py", "-k", "version_of_a_tool"),
    _m("no path leads from one repository into another", "references/remote.py", "        if _climbs(parts.path):", "        if False:", "tests/references/test_forks.py", "-k", "spelling"),
    _m("a path may not reach into .git", "kit/paths.py", "if segment.casefold().rstrip(\". \") == \".git\":", "if False:", "tests/kit/test_archives.py"),
    _m("nothing is written over how git works", "base/paths.py", "    if not _GIT_CONTROL.isdisjoint(path.lower().split(\"/\")):", "    if False:", "tests/base", "-k", "path"),
    _m("no link in an archive", "kit/archives.py", "                raise Refused(f\"{where} has `{path}`, which is a link\", hint=_HINT)\n            if not member.isreg()", "                continue\n            if not member.isreg()", "tests/kit/test_archives.py"),
    _m("nothing is written through a link", "base/disk.py", "_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC", "_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC", "tests/base/test_write.py"),
    # -- words are only words
    _m("control characters are written out", "kit/sanitize.py", "    return _HIDDEN.sub(_escape, text)", "    return text", "tests/kit/test_sanitize.py"),
    _m("workflow commands are broken", "kit/sanitize.py", "        text = _AT_START.sub(r\"\\1 :\", text)", "        pass", "tests/kit/test_sanitize.py"),
    _m("commands anywhere in a line are broken", "kit/sanitize.py", "    return _ANYWHERE.sub(\"# \", text) if \"##\" in text else text", "    return text", "tests/kit/test_sanitize.py"),
    _m("JSON is as harmless", "kit/sanitize.py", "    document = _HIDDEN.sub(_json_escape, document)", "    pass", "tests/kit/test_sanitize.py"),
    _m("errors go out guarded", "cli/output.py", "    sys.stderr.write(sanitized(text) + \"\\n\")", "    sys.stderr.write(text + \"\\n\")", "tests/cli/test_output.py", "-k", "mistake"),
    _m("text goes out guarded", "report/text.py", "        return super().render_str(visible(text), **options)", "        return super().render_str(text, **options)", "tests/cli/test_output.py", "-k", "versions and text"),
    _m("mentions are broken", "kit/defuse.py", "    (re.compile(r\"@(?=\\S)\"), \"@\" + ZERO_WIDTH),\n", "", "tests/forge", "-k", "defuse or trigger or harmless"),
    _m("definitions of references are broken", "kit/defuse.py", "    (re.compile(r\"\\](?=:)\"), \"]\" + ZERO_WIDTH),\n", "", "tests/forge", "-k", "reference"),
    _m("a backtick is escaped once", "forge/text/markdown.py", "re.compile(r\"([\\\\`*_~|\\[\\]])\")", "re.compile(r\"([\\\\*_~|\\[\\]])\")", "tests/forge", "-k", "backtick"),
    # -- limits and time
    _m("an archive has a size", "kit/archives.py", "        if self.size > self.max_bytes:", "        if False:", "tests/kit/test_archives.py"),
    _m("an archive has a proportion", "kit/archives.py", "        if self.size > _RATIO_FROM and self.size > self.packed * MAX_RATIO:", "        if False:", "tests/kit/test_archives.py"),
    _m("an answer has a size", "kit/http/wire.py", "            if max(size, body.tell()) > limit:", "            if False:", "tests/kit/http/test_client.py"),
    _m("aliases of YAML have a weight", "kit/yaml/manifests.py", "            if below + weight > MAX_NODES:", "            if False:", "tests/kit/yaml/test_manifests_oracle.py", "-k", "expands_or_nests"),
    _m("what a program prints has a size", "kit/run/process.py", "        if size > limit:", "        if False:", "tests/kit/run/test_process.py"),
    _m("schemes of URLs are short", "kit/redact.py", "[a-z][a-z0-9+.-]{0,30}://", "[a-z][a-z0-9+.-]*://", "tests/trust/test_linear.py", "-k", "redact"),
    _m("small members of gzip cost little", "kit/archives.py", "    step = _FIRST\n", "    step = 1 << 30\n", "tests/trust/test_linear.py", "-k", "members and archive"),
    _m("a vendor has a budget", "kit/run/budget.py", "    if budget is not None and time.monotonic() >= budget.end:", "    if False:", "tests/trust/test_budget.py"),
    _m("a budget goes along into threads", "kit/run/threads.py", "    return pool.submit(copy_context().run, function, *arguments)", "    return pool.submit(function, *arguments)", "tests/trust/test_budget.py"),
    # -- a run ends, and leaves things whole
    _m("the children of a program end with it", "kit/run/children.py", "            os.killpg(child.pid, signal.SIGKILL)\n        child.wait()", "            os.kill(child.pid, signal.SIGKILL)\n        child.wait()", "tests/kit/run/test_process.py"),
    _m("programs end with the run", "kit/run/children.py", "    for process in list(_running):", "    for process in ():", "tests/cli/test_interruption.py", "-k", "programs and kustomize"),
    _m("temporary folders go with the run", "cli/ending.py", "        shutil.rmtree(_folder, ignore_errors=True)", "        pass", "tests/cli/test_interruption.py", "-k", "programs and helm"),
    _m("SIGTERM is heard", "cli/ending.py", "(\"SIGINT\", \"SIGTERM\", \"SIGHUP\")", "(\"SIGINT\", \"SIGHUP\")", "tests/cli/test_interruption.py", "-k", "programs and helm"),
    _m("a full disk is no bug", "errors.py", "    return error.errno in _LACKS or", "    return", "tests/cli/test_interruption.py", "-k", "file_that_can or full"),
    _m("an error takes everything back", "base/write.py", "        _take_back(disk, staging, steps)\n        raise", "        raise", "tests/base/test_write.py"),
    _m("a killed run is finished by the next", "base/write.py", "            _heal(disk, staging)\n", "", "tests/base/test_write.py"),
    _m("a change is staged before anything moves", "base/write.py", "        save_journal(staging, steps)\n", "", "tests/base/test_write.py"),
    _m("the journal is on the disk before it counts", "base/journal.py", "        os.fsync(file.fileno())\n", "", "tests/base/test_journal.py"),
    _m("a staging folder of a stranger's is not obeyed", "base/write.py", "stat.S_IMODE(facts.st_mode) == 0o700 and ", "", "tests/base/test_write.py"),
    _m("a push replaces what it has seen alone", "kit/git/repository.py", "            words.append(f\"--force-with-lease={head_ref(branch)}:{lease}\")", "            words.append(\"--force\")", "tests/kit/git/test_repository.py"),
    _m("a person's commits are left alone", "forge/rules/lifecycle.py", "        if commit.author_email != bot_email or commit.committer_email != bot_email:", "        if False:", "tests/forge"),
    _m("what an index says is untouched is held against the disk", "kit/git/attributes.py", "    return (whole, now.st_size) == (seconds, size) and nanoseconds in (0, part)", "    return True", "tests/project/test_checkout_filters.py"),
    _m("an edit that was committed is no line ending", "project/checkout.py", "    if edited:\n        return None\n", "", "tests/project/test_checkout_filters.py", "-k", "committed"),
    _m("a date that nobody meant is none", "releases/answers.py", "return at if at >= _FIRST else None", "return at", "tests/releases/test_odd_dates.py"),
    _m("a date in the future is none", "releases/dates.py", "    if release.published is None or release.published <= now:", "    if True:", "tests/releases/test_odd_dates.py"),
    _m("a pointer becomes no base", "base/pointers.py", "        if file.path in needed:", "        if False:", "tests/base/test_lfs_pointers.py"),
)  # fmt: skip
