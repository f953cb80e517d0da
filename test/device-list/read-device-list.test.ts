import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/device-list/decode-text.js';
import { readDeviceList } from '../../src/device-list/read-device-list.js';

const problemsOf = (text: string) =>
  readDeviceList(text).problems.map(({ line, message }) => `${line}: ${message}`);

describe('the list of devices', () => {
  it.each([
    ['commas and a header', 'serial,key,name\nSN-1,k1,Hall\nSN-2,,\n'],
    ['a header in another order', 'Name,Key,Serial\nHall,k1,SN-1\n,,SN-2\n'],
    [
      'the names of the API, and a column that is not ours',
      'device_serial,MAC,device_key,name\nSN-1,a,k1,Hall\nSN-2,b,,\n',
    ],
    ['no header', 'SN-1,k1,Hall\nSN-2\n'],
    ['semicolons', 'serial;key;name\nSN-1;k1;Hall\nSN-2;;\n'],
    ['tabs', 'serial\tkey\tname\nSN-1\tk1\tHall\nSN-2\t\t\n'],
    ['quotes and blanks', 'serial,key,name\n"SN-1" ,"k1", "Hall"\nSN-2,,""\n'.replace(', "', ',"')],
    ['lines of Windows, and empty ones', 'serial,key,name\r\n\r\nSN-1,k1,Hall\r\n,,\r\nSN-2,,\r\n\r\n'],
    ['lines of an old Mac', 'serial,key,name\rSN-1,k1,Hall\rSN-2,,\r'],
    ['no end of the last line', 'serial,key,name\nSN-1,k1,Hall\nSN-2'],
    [
      'the separator in the first line, as Excel writes it',
      'sep=;\r\nserial;key;name\r\nSN-1;k1;Hall\r\nSN-2;;',
    ],
  ])('is read with %s', (_, text) => {
    const { devices, problems } = readDeviceList(text);

    expect(problems).toEqual([]);
    expect(devices.map(({ line: _line, ...device }) => device)).toEqual([
      { serial: 'SN-1', key: 'k1', name: 'Hall' },
      { serial: 'SN-2', key: null, name: null },
    ]);
  });

  it('is read with two columns, and with one', () => {
    const serials = (text: string) => readDeviceList(text).devices.map(({ serial, name }) => [serial, name]);

    expect(serials('serial;name\r\nSN-1;Hall, left\r\n')).toEqual([['SN-1', 'Hall, left']]);
    expect(serials('"SN-1";;Hall\n"SN-2";;Hall')).toEqual([
      ['SN-1', 'Hall'],
      ['SN-2', 'Hall'],
    ]);
    expect(serials('serial\nSN-1\nSN-2\n')).toEqual([
      ['SN-1', null],
      ['SN-2', null],
    ]);
  });

  it('counts lines as an editor does', () => {
    const { devices } = readDeviceList(
      'serial,name\r\n\r\nSN-1,Hall\r\nSN-2,"Hall; 2nd floor"\r\nSN-3,x\r\n',
    );

    expect(devices.map(({ line, serial }) => [line, serial])).toEqual([
      [3, 'SN-1'],
      [4, 'SN-2'],
      [5, 'SN-3'],
    ]);
  });

  it('names the columns that it does not use', () => {
    expect(readDeviceList('serial,MAC,made\nSN-1,aa,2026').ignoredColumns).toEqual(['MAC', 'made']);
  });

  it('names each wrong line and what is wrong, and reads the others', () => {
    const text = [
      'serial,key,name',
      'SN 1,,',
      'SN-2,Key,',
      ',,only a name',
      `SN-4,,${'x'.repeat(201)}`,
      'SN-5,,"two',
      'lines"',
      '1.23457E+11,,',
      'SN-7,k7,',
      'SN-7,,',
      'SN-8,k7,',
      'SN-9,k9,name,more',
    ].join('\n');

    const { devices, problems } = readDeviceList(text);

    expect(devices.map(({ serial }) => serial)).toEqual(['SN-7']);
    expect(problems).toMatchObject([
      { line: 2, message: expect.stringContaining('serial "SN 1"') },
      { line: 3, message: expect.stringContaining('key "Key"') },
      { line: 4, message: expect.stringContaining('neither a serial nor a key') },
      { line: 5, message: expect.stringContaining('200 characters') },
      { line: 6, message: expect.stringContaining('on one line') },
      { line: 8, message: expect.stringContaining('rounded') },
      { line: 10, message: 'The serial "SN-7" is already in line 9.' },
      { line: 11, message: 'The key "k7" is already in line 9.' },
      { line: 12, message: expect.stringContaining('4 cells') },
    ]);
  });

  it('takes no header of other names for a device', () => {
    const list = readDeviceList('mac\nAA:01\nAA:02\n');

    expect(list.devices).toEqual([]);
    expect(list.problems).toEqual([{ line: 1, message: expect.stringContaining('looks like a header') }]);
    expect(readDeviceList('HALL\nDOOR\n').devices).toHaveLength(2);
    expect(readDeviceList('HALL\n').devices).toHaveLength(1);
  });

  it('refuses what the server would refuse in a name', () => {
    expect(readDeviceList('SN-1,,Hall\u0007\n').problems).toEqual([
      { line: 1, message: expect.stringContaining('control characters') },
    ]);
  });

  it('names the line of a quotation mark that is not closed', () => {
    expect(problemsOf('serial,name\nSN-1,"Hall\nSN-2,x\n')).toEqual([
      expect.stringContaining('2: A quotation mark'),
    ]);
  });

  it('wants a column by which a device can be known', () => {
    expect(problemsOf('name,owner\nHall,me\n')).toEqual([
      expect.stringContaining('1: The header has neither'),
    ]);
    expect(problemsOf('SN-1,k1,Hall,x\n')).toEqual([expect.stringContaining('add a header line')]);
  });

  it('says of a workbook that it is none', () => {
    expect(problemsOf('PK\u0003\u0004\u0014\0\0\n\0xl/workbook.xml\n')).toEqual([
      '1: The file is not text: save the list as CSV, not as a workbook.',
    ]);
  });

  it('is empty for an empty file', () => {
    expect(readDeviceList('')).toEqual({ devices: [], problems: [], ignoredColumns: [] });
    expect(readDeviceList('serial,key,name\n').devices).toEqual([]);
  });
});

describe('the text of a file', () => {
  const text = 'serial;name\nSN-1;Küche\n';

  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 in the other order', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['the code page of Windows', Buffer.from(text, 'latin1')],
  ])('is read as %s', (_, bytes) => {
    expect(decodeText(bytes)).toBe(text);
  });
});
