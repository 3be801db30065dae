import type { parse } from '@bufbuild/cel';

type Expr = ReturnType<typeof parse>['expr'];

interface Known {
  isVariable(name: string): boolean;
  isFunction(name: string): boolean;
  isType(name: string): boolean;
}

/** Evaluated by CEL itself and in no list of functions. */
const operators = new Set(['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false']);

/**
 * Names in an expression that nothing defines: `variable x`, `function f`, `type T`. The evaluator would report them
 * only when it reaches them, which may be never in a test and once in earnest.
 */
export function unknownNames(expression: Expr, known: Known): string[] {
  const found = new Set<string>();

  const visit = (expr: Expr | undefined, locals: ReadonlySet<string>): void => {
    const kind = expr?.exprKind;
    switch (kind?.case) {
      case 'identExpr':
        if (!locals.has(kind.value.name) && !known.isVariable(kind.value.name))
          found.add(`variable ${kind.value.name}`);
        return;
      case 'selectExpr':
        visit(kind.value.operand, locals);
        return;
      case 'callExpr': {
        const { target, function: name, args } = kind.value;
        const namespace = target?.exprKind.case === 'identExpr' ? target.exprKind.value.name : undefined;
        const isNamespaced = namespace !== undefined && known.isFunction(`${namespace}.${name}`);
        if (!isNamespaced && target) visit(target, locals);
        if (!isNamespaced && !operators.has(name) && !known.isFunction(name)) found.add(`function ${name}`);
        for (const argument of args) visit(argument, locals);
        return;
      }
      case 'listExpr':
        for (const element of kind.value.elements) visit(element, locals);
        return;
      case 'structExpr': {
        const { messageName, entries } = kind.value;
        if (messageName && !known.isType(messageName)) found.add(`type ${messageName}`);
        for (const { keyKind, value } of entries) {
          if (keyKind.case === 'mapKey') visit(keyKind.value, locals);
          visit(value, locals);
        }
        return;
      }
      case 'comprehensionExpr': {
        const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
        visit(iterRange, locals);
        visit(accuInit, locals);
        const inner = new Set([...locals, iterVar, iterVar2, accuVar]);
        for (const part of [loopCondition, loopStep, result]) visit(part, inner);
        return;
      }
    }
  };

  visit(expression, new Set());
  return [...found];
}
