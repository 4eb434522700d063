const { buildPage, PAGE } = await import("/tmp/hC/scripts/page/build.ts");
console.log(
  new TextEncoder().encode(buildPage()).length,
  "now; committed page",
  Deno.statSync(PAGE).size,
);
