# SPDX-License-Identifier: Apache-2.0
"""Policies that are none, each with what is wrong with it."""

from __future__ import annotations

UMLAUTS = "\u00fc" * 21
RULE = '[[rule]]\nid = "r"\n'
RUNS = f'{RULE}tools = ["*"]\nverdict = "block"\n'
REACHES = f'{RULE}verdict = "block"\n'
TWO = f"{RUNS}[[exception]]\n"
FORMS = "; write an endpoint of the catalogue, "
SLUG = '; write it like "claude-code"'
VERDICTS = "; write one of allow, alert, block"
ONE_AT_LEAST = "; write one word at least, or leave it out"
TOOLS = (
    'write a tool of the catalogue, "vendor:openai", "category:ide-agent", "unknown-client" or "*"'
)
FOLDER = "; write an absolute path without . and .. and without wildcards"
CGROUP = "; write a path from the root of the cgroup2 hierarchy"
NO_RANGE = " is no address, and no range of addresses; write an endpoint"
WORDS = [
    ("anthropic", "'anthropic' is no endpoint of the catalogue"),
    ("vendor:nobody", "no endpoint has the vendor 'nobody'"),
    ("vendor:", "no endpoint has the vendor ''"),
    ("some:443", "'some:443' is not valid"),
    ("", "'' is not valid"),
    ("*.some", "'*.some' is not valid"),
    ("Example.com", "'Example.com' is not valid"),
    ("exa mple.com", "'exa mple.com' is not valid"),
    ("example.com.", "'example.com.' is not valid"),
    (".example.com", "'.example.com' is not valid"),
    ("-a.example", "'-a.example' is not valid"),
    ("a_b.example", "'a_b.example' is not valid"),
    ("b\u00fccher.example", "'b\\xfccher.example' is not valid"),
    ("*example.com", "'*example.com' is not valid"),
    ("*.*.example.com", "'*.*.example.com' is not valid"),
    ("api.*.example.com", "'api.*.example.com' is not valid"),
    ("https://example.com", "'https://example.com' is not valid"),
    ("example.com/path", "'example.com/path' is not valid"),
    ("example.com:https", "'example.com:https' is not valid"),
    ("example.com:", "'example.com:' is not valid"),
    (":443", "':443' is not valid"),
    ("192.0.2.1/24", "'192.0.2.1/24' is an address within 192.0.2.0/24, and no range; write"),
    ("192.0.2.256", f"'192.0.2.256'{NO_RANGE}"),
    ("192.0.2", f"'192.0.2'{NO_RANGE}"),
    ("192.0.2.0/33", f"'192.0.2.0/33'{NO_RANGE}"),
    ("10", f"'10'{NO_RANGE}"),
    ("2001:db8::1/32", "'2001:db8::1/32' is an address within 2001:db8::/32, and no range"),
    ("2001:db8:::1", f"'2001:db8:::1'{NO_RANGE}"),
    ("[2001:db8::]/32", f"'[2001:db8::]/32'{NO_RANGE}"),
    ("[example.com]:443", f"'[example.com]:443'{NO_RANGE}"),
    ("[fe80::1%eth0]:443", "'[fe80::1%eth0]:443' has a zone"),
    ("fe80::1%eth0", "'fe80::1%eth0' has a zone"),
    ("a.b.c.d.e.f.example", "'a.b.c.d.e.f.example' has more than 6 labels"),
    ("\\u001b[2J", "'\\x1b[2J' is not valid; write one line of text"),
]
PORTS = [
    (f"{host}:{port}", f"'{host}:{port}': {port} is no port; write one of 1-65535")
    for host in ("example.com", "*.example.com", "192.0.2.0/24", "[2001:db8::]", "*")
    for port in ("0", "65536", "99999")
]
BAD_WORDS = [
    (f'{REACHES}endpoints = ["{word}"]', f"endpoints: {why}") for word, why in WORDS + PORTS
]
BAD_EGRESS = [
    (
        f'{RULE}tools = ["*"]\nverdict = "allow"\negress_only = ["{word}"]',
        f"egress_only: {why}",
    )
    for word, why in WORDS + PORTS
]
BAD_TOOLS = [
    (
        f'{RULE}verdict = "block"\ntools = ["{word}"]',
        f"tools: {why}; {near and f'did you mean {near!r}? Otherwise '}{TOOLS}",
    )
    for word, why, near in [
        ("claude", "'claude' is no tool of the catalogue", ""),
        ("Some-cli", "'Some-cli' is no tool of the catalogue", "some-cli"),
        ("vendor:nobody", "no tool has the vendor 'nobody'", ""),
        (
            "vendor:some-cli",
            "no tool has the vendor 'some-cli'",
            "vendor:some",
        ),
        ("category:tui", "no tool has the category 'tui'", ""),
        ("category:", "no tool has the category ''", ""),
        ("kind:cli", "'kind:cli' is no tool of the catalogue", ""),
        ("some", "'some' is no tool of the catalogue", "some-ide"),
        ("**", "'**' is no tool of the catalogue", ""),
    ]
]
TYPES = [
    (f"{RUNS}{key} = {value}", f"{key}: {why}")
    for key, remedy in [
        ("users", "; write the name of a user, or a uid"),
        ("groups", "; write the name of a group, or a gid"),
        ("cgroups", CGROUP),
        ("paths", FOLDER),
    ]
    for value, why in [
        ('"alice"', 'is not a list; write ["..."]'),
        ("1", 'is not a list; write ["..."]'),
        ("[]", f"is empty{ONE_AT_LEAST}"),
        ("[1]", f"1 is not valid{remedy}"),
        ('[""]', f"'' is not valid{remedy}"),
        ('["a\\nb"]', f"'a\\nb' is not valid{remedy}"),
        ("[[]]", f"[] is not valid{remedy}"),
    ]
]
BAD_WHO = [
    (f"{RUNS}{line}", why)
    for line, why in [
        ('users = ["a b"]', "users: 'a b' is not valid"),
        ('users = ["a:b"]', "users: 'a:b' is not valid"),
        ('users = ["4294967295"]', "users: '4294967295' is no uid; write the name"),
        ('users = ["\u0663"]', "users: '\\u0663' is no uid; write the name"),
        ('groups = ["a/b"]', "groups: 'a/b' is not valid"),
        ('cgroups = ["build.slice"]', f"cgroups: 'build.slice' is not valid{CGROUP}"),
        ('cgroups = ["/a/../b"]', f"cgroups: '/a/../b' is not valid{CGROUP}"),
        ('cgroups = ["//a"]', f"cgroups: '//a' is not valid{CGROUP}"),
        ('cgroups = ["/a*"]', f"cgroups: '/a*' is not valid{CGROUP}"),
        ('cgroups = ["/1/2/3/4/5/6/7/8"]', "cgroups: '/1/2/3/4/5/6/7/8' is not valid"),
        ('paths = ["opt"]', f"paths: 'opt' is not valid{FOLDER}"),
        ('paths = ["~/bin"]', f"paths: '~/bin' is not valid{FOLDER}"),
        ('paths = ["/"]', f"paths: '/' is not valid{FOLDER}"),
        ('paths = ["/opt/*"]', f"paths: '/opt/*' is not valid{FOLDER}"),
        ('paths = ["/opt/./x"]', f"paths: '/opt/./x' is not valid{FOLDER}"),
        ('paths = ["/opt/.."]', f"paths: '/opt/..' is not valid{FOLDER}"),
        ('paths = ["/opt//x"]', f"paths: '/opt//x' is not valid{FOLDER}"),
        (f'paths = ["/{"x" * 40}"]', "has a folder with 40 bytes or more in its name"),
        (f'paths = ["/{UMLAUTS}"]', "has a folder with 40 bytes or more in its name"),
        ('container = "yes"', "container: 'yes' is not valid; write true or false"),
        ("container = 1", "container: 1 is not valid; write true or false"),
        ('mode = "on"', "mode: 'on' is unknown; write one of observe, shadow, enforce"),
        ("mode = true", "mode: true is not valid; write one of observe, shadow, enforce"),
        ('running = "stop"', "running: 'stop' is unknown; write one of disconnect, kill"),
        ('when_full = "shut"', "when_full: 'shut' is unknown; write one of open, closed"),
        ('message = ""', "message: '' is not valid; write one line of 300 letters at most"),
        ('message = "a\\nb"', "message: 'a\\nb' is not valid; write one line"),
        (f'message = "{"x" * 301}"', "is not valid; write one line of 300 letters at most"),
        ("message = 1", "message: 1 is not valid; write one line"),
        (
            'user = ["alice"]',
            "'user': unknown key; did you mean 'users'? Otherwise write one of id, tools, ",
        ),
        ('"\\u001b" = 1', "'\\x1b': unknown key"),
        ('tool = "x"', "'tool': unknown key; did you mean 'tools'? Otherwise"),
        ("egress_only = []", f"egress_only: is empty{ONE_AT_LEAST}"),
        ("endpoints = []", f"endpoints: is empty{ONE_AT_LEAST}"),
        ('endpoints = "some"', 'endpoints: is not a list; write ["..."]'),
        (
            'risk = ["yolo"]',
            "risk: 'yolo' is not valid; write one of unguarded, redirected, proxied",
        ),
        ("risk = []", f"risk: is empty{ONE_AT_LEAST}"),
        ('risk = ["proxied"]\nendpoints = ["some"]', "risk: is known of a run alone, a moment"),
        ('egress_only = ["x.test"]', "egress_only: is for tools that may run; write verdict"),
        (
            'endpoints = ["some"]\negress_only = ["x.test"]',
            "egress_only: stands beside endpoints; leave one of them out",
        ),
    ]
]
BAD_RULES = [
    ("[[rule]]\n", "rule 1: id: is missing" + SLUG, 4),
    ('[[rule]]\nid = "A"\n', "rule 'A': id: 'A' is not valid" + SLUG, 4),
    ("[[rule]]\nid = 7\n", "rule 7: id: 7 is not valid" + SLUG, 4),
    *(
        (
            f'[[rule]]\nid = "{taken}"\n',
            f"rule '{taken}': id: '{taken}' is taken by the sensor itself; write another",
            4,
        )
        for taken in ("default", "quic", "canary", "full", "runtime-1", "runtime-x-2")
    ),
    (RULE, "rule 'r': verdict: is missing" + VERDICTS, 4),
    (f'{RULE}verdict = "deny"', "rule 'r': verdict: 'deny' is unknown" + VERDICTS, 4),
    (f'{RULE}verdict = "would_block"', "rule 'r': verdict: 'would_block' is unknown", 4),
    (f"{RULE}verdict = 1", "rule 'r': verdict: 1 is not valid" + VERDICTS, 4),
    (REACHES, "rule 'r': tools: is missing; write tools, endpoints or both", 4),
    (
        f'{RULE}verdict = "allow"\negress_only = ["x.test"]',
        "rule 'r': tools: is missing; write tools, endpoints or both",
        4,
    ),
    (f"{REACHES}tools = []", "rule 'r': tools: is empty" + ONE_AT_LEAST, 4),
    (f'{REACHES}tools = "*"', "rule 'r': tools: is not a list; write [\"...\"]", 4),
    (f"{RUNS}\n{RUNS}", "rule 'r': id: 'r' is taken by p.toml:4; rename one", 9),
    (f'{RUNS}\n\n[[rule]]\nid="s"\n', "rule 's': verdict: is missing" + VERDICTS, 10),
    ("rule = 1", "p.toml:4: rule: is not a list of tables; write [[rule]]", 4),
    ("[rule]\n", "p.toml:4: rule: is not a list of tables; write [[rule]]", 4),
    (
        "rules = 1",
        "p.toml:4: 'rules': unknown key; did you mean 'rule'? Otherwise write one of version,",
        4,
    ),
    ("defaults = 1", "p.toml:4: defaults: is not a table; write [defaults]", 4),
    ("[[defaults]]", "p.toml:4: defaults: is not a table; write [defaults]", 4),
    ("[defaults]\nx = 1", "p.toml:5: defaults: 'x': unknown key; write one of tool, unk", 5),
    ('[defaults]\ntool = "no"', "p.toml:5: defaults: tool: 'no' is unknown" + VERDICTS, 5),
    ('[defaults]\nunknown_client = "observe"', "defaults: unknown_client: 'observe' is", 5),
    ("[defaults]\ntool = true", "defaults: tool: true is not valid" + VERDICTS, 5),
    ("dns = []", "p.toml:4: dns: is not a table; write [dns]", 4),
    (
        "[dns]\nresolver = 1",
        "p.toml:5: dns: 'resolver': unknown key; did you mean 'resolvers'? Ot",
        5,
    ),
    ('[dns]\nresolvers = "x"', 'p.toml:5: dns: resolvers: is not a list; write ["..."]', 5),
    ('[dns]\nresolvers = ["dns.example"]', "dns: resolvers: 'dns.example' does not appear", 5),
    ('[dns]\nresolvers = ["192.0.2.0/24"]', "resolvers: '192.0.2.0/24' does not appear", 5),
    ('[dns]\nresolvers = ["fe80::1%2"]', "dns: resolvers: 'fe80::1%2' has a zone; write", 5),
    ("[[rule]\n", "p.toml: Expected ']]' at the end of an array declaration", None),
    ("\x00", "p.toml: ", None),
]
BAD_EXCEPTIONS = [
    (f"{TWO}{lines}", why)
    for lines, why in [
        ("", "exception 1: rule: is missing" + SLUG),
        ('rule = "x"', "exception 1: rule: there is no rule 'x'; write the id of a rule"),
        ("rule = 1", "exception 1: rule: 1 is not valid" + SLUG),
        ('rule = "r"\ntools = ["*"]', "exception 1: 'tools': unknown key; write one of rule, "),
        ('rule = "r"', "exception 1: users: is missing; write one of users, groups, cgroups, "),
        ('rule = "r"\nusers = []', f"exception 1: users: is empty{ONE_AT_LEAST}"),
        ('rule = "r"\nusers = ["a b"]', "exception 1: users: 'a b' is not valid"),
        ('rule = "r"\nusers = ["a"]', "expires: is missing; write a time with its zone, like"),
        *(
            (f'rule = "r"\nusers = ["a"]\nexpires = {value}', f"expires: {why}; write a time")
            for value, why in [
                ('"2027-01-31"', "'2027-01-31' is no time"),
                ("2027-01-31", "2027-01-31 is no time"),
                ("12:00:00", "12:00:00 is no time"),
                ("2027-01-31T00:00:00", "2027-01-31T00:00:00 has no zone"),
                ("7", "7 is no time"),
            ]
        ),
        (
            'rule = "r"\nusers = ["a"]\nexpires = 2027-01-31T00:00:00Z',
            "exception 1: ticket: is missing; write one line of text",
        ),
        (
            'rule = "r"\nusers = ["a"]\nexpires = 2027-01-31T00:00:00Z\nticket = 1',
            "exception 1: ticket: 1 is not valid; write one line of text",
        ),
        (
            'rule = "r"\nusers = ["a"]\nexpires = 2027-01-31T00:00:00Z\nticket = "1"\nreason = ""',
            "exception 1: reason: '' is not valid; write one line of text",
        ),
    ]
]
