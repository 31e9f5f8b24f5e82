/**
 * The stylesheet of all pages: light and dark, on paper, from 320 px on. Colours come in pairs of text and ground with a contrast
 * of 4.5 at least; what a colour says, a word or a shape says as well.
 */
export const stylesheet = `
:root{color-scheme:light dark;--ground:#faf9f7;--sheet:#fff;--ink:#1d1c1a;--quiet:#5c5954;--rule:#dedad3;--band:#f2f0ec;
--good:#14623a;--good-ground:#e2f2e7;--warn:#74480a;--warn-ground:#fcefd2;--bad:#9c1520;--bad-ground:#fce6e5;
--plain:#45423e;--plain-ground:#eceae5;--exposed:#c2323a;--calm:#8e9db5;--mark:#24324a}
@media (prefers-color-scheme:dark){:root{--ground:#121418;--sheet:#1a1d22;--ink:#e9e7e3;--quiet:#a9a59e;--rule:#343840;--band:#21252b;
--good:#8fdcab;--good-ground:#16331f;--warn:#f2c76b;--warn-ground:#382a0d;--bad:#ffaaa6;--bad-ground:#451b1d;
--plain:#cfccc6;--plain-ground:#2b2f36;--exposed:#ef6a68;--calm:#5a6a84;--mark:#dbe4f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
.page{max-width:1120px;margin:0 auto;padding:2rem clamp(1rem,4vw,2.5rem) 3rem}
header.top{display:grid;gap:.4rem;padding-bottom:1.25rem;border-bottom:2px solid var(--ink)}
.kicker{margin:0;color:var(--quiet);font-size:.85rem;letter-spacing:.04em;text-transform:uppercase}
h1{margin:0;font-size:clamp(1.6rem,1.2rem + 2vw,2.4rem);line-height:1.15;letter-spacing:-.015em}
.lead{margin:.2rem 0 0;color:var(--quiet)}
section{margin-top:2.25rem}
main>p:first-child{margin-top:1rem}
h2{margin:0 0 .75rem;font-size:1.2rem;letter-spacing:-.005em}
h3{margin:1.25rem 0 .4rem;font-size:1rem}
p{margin:.4rem 0;max-width:75ch}
.quiet{color:var(--quiet)}
.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875em}
.badge{display:inline-flex;align-items:baseline;gap:.35em;padding:.1em .6em;border-radius:1em;border:1px solid currentColor;font-size:.85rem;font-weight:600;line-height:1.5;white-space:nowrap}
.good{color:var(--good);background:var(--good-ground)}
.warn{color:var(--warn);background:var(--warn-ground)}
.bad{color:var(--bad);background:var(--bad-ground)}
.plain{color:var(--plain);background:var(--plain-ground)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,10rem),1fr));gap:.75rem;margin:1.5rem 0 0;padding:0}
.figure{padding:.9rem 1rem;background:var(--sheet);border:1px solid var(--rule);border-radius:.6rem}
.figure dt{color:var(--quiet);font-size:.85rem}
.figure dd{margin:.1rem 0 0;font-size:1.5rem;font-weight:650;letter-spacing:-.01em;line-height:1.2}
.figure dd.note{font-size:.85rem;font-weight:400;color:var(--quiet);letter-spacing:0;line-height:1.4;margin-top:.25rem}
.callout{margin:1.5rem 0 0;padding:1rem 1.1rem;border-radius:.6rem;border:1px solid currentColor;border-left-width:.4rem}
.callout h2{margin:0 0 .35rem;font-size:1.05rem}
.callout h2:last-child{margin:0}
.callout ul{margin:0;padding-left:1.2rem}
.callout li{margin:.25rem 0}
dl.facts{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.35rem 1.25rem;margin:0}
dl.facts dt{color:var(--quiet)}
dl.facts dd{margin:0}
.sheet.spaced{margin-top:1rem}
.sheet{background:var(--sheet);border:1px solid var(--rule);border-radius:.6rem;padding:1rem 1.1rem}
table{width:100%;border-collapse:collapse;font-size:.92rem}
caption{text-align:left;color:var(--quiet);padding-bottom:.5rem}
th{font-size:.78rem;letter-spacing:.03em;text-transform:uppercase;color:var(--quiet);font-weight:600;text-align:left;vertical-align:bottom}
th,td{padding:.5rem .9rem .5rem 0;border-bottom:1px solid var(--rule)}
td{vertical-align:top}
th{white-space:nowrap}
td:first-child{min-width:8.5rem}
th:last-child,td:last-child{padding-right:0}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
time{font-variant-numeric:tabular-nums}
.lanes{margin:0;display:grid;gap:.15rem}
.lane{display:grid;grid-template-columns:minmax(0,15rem) minmax(0,1fr);gap:.2rem 1.25rem;align-items:center;padding:.3rem 0;break-inside:avoid}
.lane+.lane{border-top:1px solid var(--rule)}
.lane-name{font-size:.92rem}
.lane-name .quiet{font-size:.82rem}
.track>svg{display:block;width:100%;height:26px;overflow:visible}
.track{padding:0 .6rem}
.axis .track>svg{height:20px}
.grid{stroke:var(--rule);stroke-width:1}
.exposed{fill:var(--exposed)}
.calm{fill:var(--calm)}
.mark{fill:var(--mark);stroke:var(--sheet);stroke-width:1.5}
.mark.off{fill:var(--sheet);stroke:var(--mark)}
.tick{fill:var(--quiet);font-size:12px}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;margin:.9rem 0 0;padding:0;list-style:none;font-size:.85rem;color:var(--quiet)}
.legend li{display:inline-flex;align-items:center;gap:.45rem}
.legend li>svg{width:22px;height:16px;overflow:visible;flex:none}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--quiet);font-size:.85rem}
@media screen and (max-width:960px){
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards,table.cards caption,table.cards tbody,table.cards tr{display:block}
table.cards td{display:grid;grid-template-columns:7.5rem minmax(0,1fr);gap:.75rem;border:0;padding:.2rem 0;text-align:left;white-space:normal}
table.cards td::before{content:attr(data-label);color:var(--quiet);font-size:.82rem;padding-top:.08rem}
table.cards tr{padding:.7rem 0;border-bottom:1px solid var(--rule)}
table.cards td.empty{display:none}
}
@media screen and (max-width:720px){
.lane{grid-template-columns:minmax(0,1fr)}
.axis .lane-name{display:none}
dl.facts{grid-template-columns:minmax(0,1fr);gap:0}
dl.facts dd{margin-bottom:.6rem}
}
@media print{
:root{color-scheme:light;--ground:#fff;--sheet:#fff;--ink:#000;--quiet:#444;--rule:#bbb;--band:#f2f0ec;
--good:#14623a;--good-ground:#fff;--warn:#74480a;--warn-ground:#fff;--bad:#9c1520;--bad-ground:#fff;
--plain:#45423e;--plain-ground:#fff;--exposed:#c2323a;--calm:#8e9db5;--mark:#24324a}
body{font-size:10.5pt}
.page{max-width:none;padding:0}
.figures{grid-template-columns:repeat(4,minmax(0,1fr))}
table,.lane-name,dl.facts{font-size:8.5pt}
th{font-size:7pt}
th,td{padding-right:.6rem}
.badge{font-size:8pt}
section{margin-top:1.4rem}
tr,.figure,.callout,.lane{break-inside:avoid}
h2,h3{break-after:avoid}
svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
@page{margin:16mm}
`.trim();
