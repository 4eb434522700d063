// What compilers use for `await using` where the language has it not.
for (const name of ["dispose", "asyncDispose"]) {
  if (name in Symbol) continue;
  Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
