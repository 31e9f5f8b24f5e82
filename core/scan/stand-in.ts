/** Forms of what a template, a shell or a program puts a value in place of. Their characters alone are in real passwords, too. */
const forms =
  /\$\{[^{}]*\}|\$\([^()]*\)|\{\{|\{%|<%|#\{[^{}]*\}|%\([A-Za-z_]\w*\)s|^\$[A-Za-z_]\w*$|^<[^<>]+>$|^\{[A-Za-z_][\w.]*\}$|^%[A-Za-z_]*%?$/;

/** Tells whether a text stands for a value that somebody or something else fills in. */
export const isFilledIn = (text: string): boolean => forms.test(text);
