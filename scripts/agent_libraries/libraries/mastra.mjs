// Mastra: the tools of an agent, from @mastra/mcp.
import { MCPClient } from "@mastra/mcp";
import { standardSchemaToJSONSchema } from "@mastra/core/schema";
import { check } from "./check.mjs";

await check("@mastra/mcp", async ({ command, args, questions }) => {
  const inputRequests = async ({ params }) => {
    questions.push(params.message);
    return { action: "accept", content: { confirm: true } };
  };
  const client = new MCPClient({ servers: { core13: { command, args, inputRequests } } });
  const tools = await client.listTools();
  const schemas = {};
  for (const [name, tool] of Object.entries(tools)) schemas[name] = standardSchemaToJSONSchema(tool.inputSchema);
  return { schemas, call: (name, input) => tools[name].execute(input, {}), close: () => client.disconnect() };
});
