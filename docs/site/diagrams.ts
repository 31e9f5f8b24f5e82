import { renderMermaidSVG } from 'beautiful-mermaid';

/**
 * Draws a Mermaid diagram as SVG in the colours of the site. It fetches no font, and a flowchart goes down rather than to the
 * right: pages are narrow.
 */
export function drawDiagram(source: string): string {
  const svg = renderMermaidSVG(source.replace(/^flowchart LR$/m, 'flowchart TD'), {
    bg: 'var(--page)',
    fg: 'var(--ink)',
    muted: 'var(--quiet)',
    line: 'var(--quiet)',
    border: 'var(--quiet)',
    surface: 'var(--shade)',
    accent: 'var(--link)',
    transparent: true,
    padding: 8,
  });
  return svg
    .replace(/^\s*@import url\('[^']*'\);$/m, '')
    .replace(/font-family: 'Inter', /, 'font-family: ')
    .replace('<svg ', '<svg role="img" aria-label="Diagram" ');
}
