import ts from 'typescript';

const RUN = new Set(['test', 'it', 'describe']);
const NOT_RUN = /\.(?:skip|todo)\b/;

/** Titles of the tests and scenarios of a file that are run: none that is skipped, by itself or with what it is in. */
export function titlesIn(source: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText();
      const [root] = /^\w+/.exec(callee) ?? [''];
      if (RUN.has(root) && NOT_RUN.test(callee)) return;
      if (RUN.has(root)) titles.push(...textOf(node.arguments[0]));
    }
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'name') titles.push(...textOf(node.initializer));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', source, ts.ScriptTarget.Latest, true));
  return titles;
}

function textOf(node: ts.Node | undefined): string[] {
  if (node === undefined) return [];
  if (ts.isTemplateExpression(node)) {
    return [[node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…')];
  }
  return ts.isStringLiteralLike(node) ? [node.text] : [];
}
