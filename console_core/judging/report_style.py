"""How a report looks: light and dark as the reader's machine is set, and on paper. Nothing from elsewhere."""

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1c2024;--soft:#60646c;--line:#d9dce2;--tile:#e3e6ea;--good:#18794e;
--bad:#ce2c31;--open:#8a5a00;--wash:#f6f7f9}
@media(prefers-color-scheme:dark){:root{--ground:#15171a;--text:#eceef0;--soft:#a0a6ae;--line:#343a42;--tile:#2c3138;
--good:#4cc38a;--bad:#ff8b8b;--open:#f1b04c;--wash:#1d2024}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:32px 24px 64px;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.25;margin:0 0 8px;border-left:6px solid var(--soft);padding-left:14px}
*+h1{margin-top:28px}ul{margin:8px 0;padding-left:20px}
h1.non-inferior,h1.preferred{border-color:var(--good)}h1.inferior{border-color:var(--bad)}
h1.inconclusive,h1.withheld{border-color:var(--open)}
h2{font-size:18px;margin:32px 0 8px}h3{font-size:15px;margin:20px 0 6px}
p.warning{border-left:6px solid var(--open);background:var(--wash);padding:8px 14px;margin:14px 0}
p{margin:6px 0}.lead{font-size:17px}
.caution{border-left:6px solid var(--open);padding:2px 0 2px 14px;margin:14px 0}.soft{color:var(--soft)}
.mark{border:1px solid var(--open);color:var(--open);border-radius:4px;padding:0 6px;font-size:12px;font-weight:400}
.mark.soft{border-color:var(--line);color:var(--soft)}
dl{display:grid;grid-template-columns:minmax(150px,290px) minmax(0,1fr);gap:4px 16px;margin:8px 0}
dt{color:var(--soft)}dd{margin:0}
table{border-collapse:collapse;width:100%;margin:8px 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}td.n,th.n{text-align:right;white-space:nowrap}
td .mark{white-space:nowrap}
.query{border-top:1px solid var(--line);padding:10px 0 14px;break-inside:avoid}
.query h3{margin:0 0 4px}.query .numbers{color:var(--soft);font-variant-numeric:tabular-nums}
.loss{color:var(--bad)}.win{color:var(--good)}
.row{display:flex;gap:6px;margin-top:6px;align-items:flex-start}
.row>b{width:22px;flex:none;padding-top:4px;font-weight:600}
.tiles{display:flex;flex-wrap:wrap;gap:6px}
figure{margin:0;width:88px}
svg.t,.grey{display:block;width:88px;height:88px;border-radius:4px;background:var(--tile)}
.grey{padding:6px;font-size:11px;line-height:1.3;overflow:hidden;color:var(--soft)}
figcaption{font-size:12px;color:var(--soft);text-align:center}figcaption b{color:var(--text)}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media print{:root{--ground:#fff;--text:#000;--soft:#444;--line:#bbb;--tile:#e3e6ea;--good:#18794e;--bad:#ce2c31;
--open:#8a5a00}body{max-width:none;padding:0;font-size:11px}*{print-color-adjust:exact}
figure,svg.t,.grey{width:60px}svg.t,.grey{height:60px}h2{break-after:avoid}tr{break-inside:avoid}}
@media(max-width:640px){dl{grid-template-columns:minmax(0,1fr)}dt{margin-top:6px}table{display:block;overflow-x:auto}
th,td{overflow-wrap:normal;white-space:nowrap}}
"""
