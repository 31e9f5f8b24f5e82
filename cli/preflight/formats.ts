/** Forms of a report. */
export const preflightFormats = ['table', 'json', 'sarif', 'junit', 'github'] as const;
export type PreflightFormat = (typeof preflightFormats)[number];
