// Sends requests by OpenTelemetry's SDK for Node.js: node app.mjs json|proto COUNT. The endpoint is a variable.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const [, , form, count] = process.argv;
const FAILS = 5;
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "cart" }),
  spanProcessors: [new BatchSpanProcessor(form === "json" ? new Json() : new Proto())],
});
const tracer = provider.getTracer("lab.live.node");
const calls = () => new Promise((done) => setTimeout(done, 2));
for (let number = 0; number < Number(count); number++) {
  const root = tracer.startSpan("GET /cart", { kind: SpanKind.SERVER, attributes: { "http.route": "/cart" } });
  const inside = trace.setSpan(context.active(), root);
  for (const name of ["SELECT", "GET"]) {
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT }, inside);
    await calls();
    span.end();
  }
  if (number % FAILS === 0) {
    root.recordException(new Error(`no customer ${number}`));
    root.setStatus({ code: SpanStatusCode.ERROR });
  }
  root.end();
}
await provider.shutdown();
