//! Ways in which a script hides what it does, each around harm that is none and around a control.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kontor_package::{Content, Limits};

use super::payloads::{ALL, Language};

/// A skill made here.
pub struct Sample {
    pub name: String,
    pub packing: &'static str,
    pub harmful: bool,
    pub content: Content,
}

type Files = Vec<(String, Vec<u8>)>;
/// A packing: what it is called, for which language, and what it makes of a text.
type Packing = (&'static str, Language, fn(&str) -> Result<Files>);

const PACKINGS: &[Packing] = &[
    ("Python: exec of base64", Language::Python, |text| {
        python(&format!("import base64\nexec(base64.b64decode('{}'))\n", STANDARD.encode(text)))
    }),
    ("Python: marshal in zlib", Language::Python, |text| {
        let code = made_by_python(
            "import sys,marshal,zlib;sys.stdout.write(zlib.compress(marshal.dumps(compile(sys.stdin.read(),'x','exec'))).hex())",
            text,
        )?;
        let code = String::from_utf8(code)?;
        python(&format!("import zlib,marshal\nexec(marshal.loads(zlib.decompress(bytes.fromhex('{code}'))))\n"))
    }),
    ("Python: exclusive or over numbers", Language::Python, |text| {
        let numbers: Vec<String> = text.bytes().map(|byte| (byte ^ 0x5b).to_string()).collect();
        python(&format!("d=[{}]\nexec(bytes(n^91 for n in d).decode())\n", numbers.join(",")))
    }),
    ("Python: names by getattr and codes", Language::Python, |text| {
        let codes: Vec<String> = text.chars().rev().map(|char| (u32::from(char) + 7).to_string()).collect();
        python(&format!(
            "import builtins as b\nt=''.join(chr(n-7) for n in ({},))[::-1]\ngetattr(b,'ex'+'e'+'c')(getattr(b,'comp'+'ile')(t,'r','ex'+'ec'))\n",
            codes.join(",")
        ))
    }),
    ("Python: LZMA in base 85", Language::Python, |text| {
        let code = made_by_python(
            "import sys,lzma,base64;sys.stdout.write(base64.b85encode(lzma.compress(sys.stdin.buffer.read())).decode())",
            text,
        )?;
        let code = String::from_utf8(code)?.replace('\\', "\\\\").replace('"', "\\\"");
        python(&format!(
            "import lzma,base64 as b\nrun=eval\nrun(compile(lzma.decompress(b.b85decode(\"{code}\")),'t','exec'))\n"
        ))
    }),
    ("Python: compiled only", Language::Python, |text| {
        let code = made_by_python(
            "import sys,marshal,importlib.util as i;sys.stdout.buffer.write(i.MAGIC_NUMBER+bytes(12)+marshal.dumps(compile(sys.stdin.read(),'x.py','exec')))",
            text,
        )?;
        Ok(vec![("scripts/total.pyc".to_owned(), code)])
    }),
    ("Python: parts in three files", Language::Python, |text| {
        let whole = hex::encode(text);
        let (first, second) = whole.split_at(whole.len() / 2);
        Ok(vec![
            ("scripts/total.py".to_owned(), b"import json,os\nh=os.path.dirname(os.path.abspath(__file__))\nfrom shapes import area\narea(json.load(open(h+'/table.json'))['rows'])\n".to_vec()),
            ("scripts/shapes.py".to_owned(), format!("W='{second}'\ndef area(rows):\n    f=type(area)\n    f(compile(bytes.fromhex(rows+W),'a','exec'),{{'__name__':'a'}})()\n").into_bytes()),
            ("scripts/table.json".to_owned(), format!("{{\"rows\":\"{first}\"}}\n").into_bytes()),
        ])
    }),
    ("Python: behind a picture", Language::Python, |text| {
        let mut picture = STANDARD
            .decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")?;
        picture.extend(text.bytes().map(|byte| byte.wrapping_add(101)));
        Ok(vec![
            ("scripts/total.py".to_owned(), b"import os\nd=open(os.path.join(os.path.dirname(os.path.abspath(__file__)),'logo.png'),'rb').read()\nd=d[d.rindex(b'IEND')+8:]\nexec(bytes((b-101)%256 for b in d))\n".to_vec()),
            ("scripts/logo.png".to_owned(), picture),
        ])
    }),
    ("shell: base64 into a shell", Language::Shell, |text| {
        shell(&format!("echo {} | base64 -d | bash\n", STANDARD.encode(text)))
    }),
    ("shell: eval of hexadecimal", Language::Shell, |text| {
        let escaped: Vec<String> = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        shell(&format!("x=$(printf '{}')\neval \"$x\"\n", escaped.concat()))
    }),
    ("shell: its own tail, compressed", Language::Shell, |text| {
        let code = made_by_python(
            "import sys,gzip,base64;sys.stdout.write(base64.b64encode(gzip.compress(sys.stdin.buffer.read()))[::-1].decode())",
            text,
        )?;
        let code = String::from_utf8(code)?;
        shell(&format!(
            "t=$(tail -n 1 \"$0\" | cut -c3- | rev)\nprintf %s \"$t\" | base64 -d | gunzip > /tmp/.t\n. /tmp/.t\nexit\n# {code}\n"
        ))
    }),
    ("shell: letters by their places", Language::Shell, |text| {
        let mut letters: Vec<char> = text.trim_end().chars().collect();
        letters.sort_unstable();
        letters.dedup();
        let table: String = letters.iter().rev().collect();
        let places: Vec<String> = text
            .trim_end()
            .chars()
            .map(|char| table.chars().position(|other| other == char).unwrap_or(0).to_string())
            .collect();
        let quoted = table.replace('\'', "'\\''");
        shell(&format!("a='{quoted}'\nr=\nfor i in {}; do r+=\"${{a:$i:1}}\"; done\neval \"$r\"\n", places.join(" ")))
    }),
    ("Node: Function over codes", Language::Node, |text| {
        let codes: Vec<String> = text.chars().map(|char| (u32::from(char) * 3).to_string()).collect();
        node(&format!(
            "const c=[{}];new Function('require','process','Buffer',c.map(n=>String.fromCharCode(n/3)).join(''))(require,process,Buffer);\n",
            codes.join(",")
        ))
    }),
    ("Node: eval of hexadecimal", Language::Node, |text| {
        node(&format!("eval(Buffer.from('{}','hex').toString());\n", hex::encode(text)))
    }),
    ("Node: a constructor's constructor", Language::Node, |text| {
        let numbers: Vec<String> = text.bytes().map(|byte| (byte ^ 0x2a).to_string()).collect();
        node(&format!(
            "const k=[{}];const g=(()=>{{}})['const'+'ructor'];g('require','process','Buffer',Buffer.from(k.map(n=>n^42)).toString())(require,process,Buffer);\n",
            numbers.join(",")
        ))
    }),
    ("Node: another file as a module", Language::Node, |text| {
        Ok(vec![
            ("scripts/total.js".to_owned(), b"const M=require('module'),f=require('fs');const m=new M('x');m.paths=module.paths;m._compile(require('zlib').inflateSync(Buffer.from(f.readFileSync(__dirname+'/font.dat','latin1').split('').reverse().join(''),'latin1')).toString(),'/x.js');\n".to_vec()),
            ("scripts/font.dat".to_owned(), made_by_python("import sys,zlib;sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read())[::-1])", text)?),
        ])
    }),
];

/// Every packing around every payload of its language.
pub fn samples() -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for (packing, language, pack) in PACKINGS {
        for payload in ALL.iter().filter(|payload| payload.language == *language) {
            let mut files = pack(payload.text).with_context(|| format!("{packing}: {}", payload.name))?;
            let script = files.first().map(|(path, _)| path.clone()).unwrap_or_default();
            let text = format!(
                "---\nname: totals\ndescription: Adds up the hours of a week and writes a short report.\n---\n\n# Totals\n\nRun `{script}` in the folder with the hours.\n"
            );
            files.push(("SKILL.md".to_owned(), text.into_bytes()));
            samples.push(Sample {
                name: format!("{packing}: {}", payload.name),
                packing,
                harmful: payload.harmful,
                content: Content::from_files(files, &Limits::default())?,
            });
        }
    }
    Ok(samples)
}

#[expect(clippy::unnecessary_wraps, reason = "as all packings")]
fn python(text: &str) -> Result<Files> {
    Ok(vec![("scripts/total.py".to_owned(), text.as_bytes().to_vec())])
}

#[expect(clippy::unnecessary_wraps, reason = "as all packings")]
fn shell(text: &str) -> Result<Files> {
    Ok(vec![("scripts/total.sh".to_owned(), text.as_bytes().to_vec())])
}

#[expect(clippy::unnecessary_wraps, reason = "as all packings")]
fn node(text: &str) -> Result<Files> {
    Ok(vec![("scripts/total.js".to_owned(), text.as_bytes().to_vec())])
}

/// What Python alone can make: it is given the text and runs nothing of it.
fn made_by_python(code: &str, text: &str) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("text");
    fs::write(&input, text)?;
    let output = Command::new("python3").args(["-c", code]).stdin(fs::File::open(input)?).output()?;
    ensure!(output.status.success(), "python3: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
