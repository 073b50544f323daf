// Vercel AI: the tools of @ai-sdk/mcp, which generateText and streamText of `ai` take.
import { createMCPClient, ElicitationRequestSchema } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport } from "@ai-sdk/mcp/mcp-stdio";
import { asSchema } from "ai";
import { check } from "./check.mjs";

await check("@ai-sdk/mcp", async ({ command, args, questions }) => {
  const transport = new Experimental_StdioMCPTransport({ command, args });
  const client = await createMCPClient({ transport, capabilities: { elicitation: {} } });
  client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => {
    questions.push(params.message);
    return { action: "accept", content: { confirm: true } };
  });
  const tools = await client.tools();
  const schemas = {};
  for (const [name, tool] of Object.entries(tools)) schemas[name] = await asSchema(tool.inputSchema).jsonSchema;
  const call = (name, input) => tools[name].execute(input, { toolCallId: "1", messages: [] });
  return { schemas, call, close: () => client.close() };
});
