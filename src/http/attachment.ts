/** Headers of a file that a browser saves and never shows. @param filename of characters that need no quoting */
export function attachment(filename: string, size: number, contentType = 'application/octet-stream') {
  return {
    'Content-Type': contentType,
    'Content-Length': size,
    'Content-Disposition': `attachment; filename="${filename}"`,
    'X-Content-Type-Options': 'nosniff',
  };
}
