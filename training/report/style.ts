// The report's looks: light and dark by the reader's setting, narrow and wide, on paper too.

export const REPORT_STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1c2024;--soft:#667079;--rule:#e3e1da;--own:#1f6feb;--calm:#4c9a6a;--alarm:#d1453b;--band:#d1453b18}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f24;--ink:#e8e6e1;--soft:#98a2ab;--rule:#2c3238;--own:#6aa8ff;--calm:#6fc592;--alarm:#ff7b6e;--band:#ff7b6e1f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}
header p{margin:0;color:var(--soft)}
h1{font-size:28px;line-height:1.2;margin:4px 0 6px;letter-spacing:-.01em}
h2{font-size:20px;margin:44px 0 6px}
h3{font-size:16px;margin:28px 0 8px}
p{max-width:75ch;margin:6px 0 12px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin:24px 0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 16px;display:flex;flex-direction:column}
.tile b{font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}
.tile small,th small{display:block;color:var(--soft);font-weight:400;font-size:12.5px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:12px}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 12px 8px}
figcaption{font-weight:600;font-size:13.5px;margin:0 4px 6px}
svg{width:100%;height:auto;display:block;font:11px system-ui,sans-serif}
.grid{stroke:var(--rule);fill:none}.axis{stroke:var(--soft);fill:none}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.mark{stroke:var(--ink);stroke-dasharray:3 3;opacity:.65;fill:none}.band{fill:var(--band)}
.tick{fill:var(--soft)}.label,.note{fill:var(--ink)}.note{font-weight:600}
.legend{margin:4px;font-size:12.5px;color:var(--soft);display:flex;gap:16px}
.legend i{display:inline-block;width:12px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--rule);border-radius:10px;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{padding:7px 12px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child{text-align:left;width:100%;white-space:normal;min-width:220px}
.facts{margin-bottom:16px}.facts th:first-child{width:auto;min-width:140px;vertical-align:top}.facts td{width:100%;white-space:normal;text-align:left;overflow-wrap:anywhere}
thead th{color:var(--soft);font-weight:600;font-size:12.5px}
tbody tr:last-child>*{border-bottom:0}
tr.own>*{background:color-mix(in srgb,var(--own) 9%,transparent);font-weight:600}
.bar{display:inline-block;width:120px;height:8px;border-radius:4px;background:var(--rule);overflow:hidden;vertical-align:middle}
.bar i{display:block;height:100%;background:var(--own)}
footer{margin-top:48px;color:var(--soft);font-size:12px;overflow-wrap:anywhere}
@media print{body{background:#fff}figure,.tile,table{break-inside:avoid}}
`;
