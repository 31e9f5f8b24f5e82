import { describe, expect, test } from '@jest/globals';
import { lineFinder, readYaml } from '../../core/yaml-document.ts';

describe('short tags of CloudFormation', () => {
  test.each([
    ['!Ref A', { Ref: 'A' }],
    ['!GetAtt A.Arn', { 'Fn::GetAtt': 'A.Arn' }],
    ['!GetAtt [A, Arn]', { 'Fn::GetAtt': ['A', 'Arn'] }],
    [`!Sub "\${A}-x"`, { 'Fn::Sub': `\${A}-x` }],
    ['!Join ["-", [a, !Ref B]]', { 'Fn::Join': ['-', ['a', { Ref: 'B' }]] }],
    ['!If [C, !Ref A, !Ref "AWS::NoValue"]', { 'Fn::If': ['C', { Ref: 'A' }, { Ref: 'AWS::NoValue' }] }],
    ['!Condition C', { Condition: 'C' }],
    ['!Transform {Name: X}', { 'Fn::Transform': { Name: 'X' } }],
    ['2012-10-17', '2012-10-17'],
    ['"yes"', 'yes'],
    ['yes', 'yes'],
  ])('%s', (text, expected) => expect(readYaml(`a: ${text}`)).toEqual({ a: expected }));

  test('aliases and merged maps', () => {
    expect(readYaml('base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nsame: *b')).toEqual({
      base: { x: 1, y: 2 },
      own: { x: 1, y: 3 },
      same: { x: 1, y: 2 },
    });
  });

  test('a document that grows without end is cut off', () => {
    const levels = Array.from({ length: 30 }, (_, level) =>
      level === 0 ? 'l0: &l0 x' : `l${level}: &l${level} [${`*l${level - 1}, `.repeat(9)}]`,
    );
    expect(JSON.stringify(readYaml(levels.join('\n'))).length).toBeLessThan(1_000_000);
  });

  test('what is no YAML is refused', () => expect(() => readYaml('a: [1')).toThrow());
});

describe('lines', () => {
  const yaml = 'Resources:\n  A:\n    Properties:\n      List:\n        - one\n        - Name: two\n';
  test.each([
    [['Resources', 'A'], 2],
    [['Resources', 'A', 'Properties', 'List', '1', 'Name'], 6],
    [['Resources', 'A', 'Properties', 'Gone', 'Deeper'], 3],
    [['Nothing'], undefined],
  ])('%j of YAML', (pointer, line) => expect(lineFinder(yaml)(pointer)).toBe(line));

  test('of JSON', () => {
    const json = JSON.stringify({ Resources: { A: { Type: 'X', Properties: { P: 1 } } } }, null, 1);
    expect(lineFinder(json)(['Resources', 'A', 'Properties', 'P'])).toBe(6);
  });
});
