// A real authorization server that nobody here wrote: `oidc-provider`, which agrees to everything in the place of its user. It has no exchange of tokens
// (RFC 8693) and no word of an identity provider (ID-JAG) of its own: both grants are registered here, on its own tokens and keys.
//
//   node authorization_server.mjs [IDENTITY_PROVIDER]
//
// Its address may be another one's IDENTITY_PROVIDER, by whose word that one gives tokens.
// It writes its address, and ends when its standard input does.

import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages lie where they were installed, which is not beside this file.
const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ID_JAG = "urn:ietf:params:oauth:token-type:id-jag";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The claims as a text that the key above signs. */
function signed(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", typ: "oauth-id-jag+jwt", kid: "1" })}.${part(claims)}`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** The claims of what `issuer` has signed, by the keys that it publishes. */
async function claimsOf(assertion, issuer) {
  const [header, claims, signature] = assertion.split(".");
  const { keys: [key] } = await (await fetch(`${issuer}/jwks`)).json();
  const isGood = verify("RSA-SHA256", Buffer.from(`${header}.${claims}`), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url"));
  const { typ } = JSON.parse(Buffer.from(header, "base64url"));
  if (!isGood || typ !== "oauth-id-jag+jwt") throw new Error("this is not the word of the identity provider");
  return JSON.parse(Buffer.from(claims, "base64url"));
}

function refuse(ctx, error) {
  ctx.status = 400;
  ctx.body = { error };
}

// Tokens for `.../jwt` are signed, those for any other resource can be introspected.
const resourceServer = (_, resource) => ({
  audience: resource, scope: "read write", accessTokenTTL: 3600, accessTokenFormat: resource.endsWith("/jwt") ? "jwt" : "opaque",
});

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clientDefaults: { token_endpoint_auth_method: "none", grant_types: ["authorization_code", "refresh_token"] },
    clients: [{
      client_id: "deployment", client_secret: "deployment-secret-0123456789", token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code", "client_credentials", EXCHANGE, ASSERTION], response_types: ["code"],
      redirect_uris: ["https://app.example/callback"],
    }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "1" }] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: resourceServer,
        useGrantedResource: () => true,
      },
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    scopes: ["openid", "offline_access", "read", "write"],
    interactions: { url: (_, interaction) => `/agree/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  // A token of this server's for a user and a resource.
  const give = async (ctx, accountId, resource, grant) => {
    const token = new provider.AccessToken({ accountId, client: ctx.oidc.client, gty: grant, scope: "read" });
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(ctx, resource));
    ctx.body = { access_token: await token.save(), token_type: "Bearer", expires_in: token.expiration, scope: token.scope };
  };
  const exchangeParameters = ["subject_token", "subject_token_type", "requested_token_type", "resource", "audience", "scope"];
  provider.registerGrantType(EXCHANGE, async (ctx) => {
    const { subject_token, requested_token_type, resource, audience } = ctx.oidc.params;
    if (requested_token_type === ID_JAG) {
      // The ID token has to be this client's.
      const subject = await provider.IdToken.validate(subject_token, ctx.oidc.client).catch(() => undefined);
      if (!subject) return refuse(ctx, "invalid_grant");
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, sub: subject.payload.sub, aud: audience, client_id: "deployment", resource, scope: "read", jti: `${now}`, iat: now, exp: now + 300 };
      ctx.body = { access_token: signed(claims), issued_token_type: ID_JAG, token_type: "N_A", expires_in: 300, scope: "read" };
      return;
    }
    const subject = await provider.AccessToken.find(subject_token);
    if (!subject?.isValid) return refuse(ctx, "invalid_grant");
    await give(ctx, subject.accountId, resource, "token_exchange");
    ctx.body.issued_token_type = "urn:ietf:params:oauth:token-type:access_token";
  }, exchangeParameters);
  provider.registerGrantType(ASSERTION, async (ctx) => {
    const identityProvider = process.argv[2]?.replace(/\/$/, "");
    const claims = identityProvider && await claimsOf(ctx.oidc.params.assertion, identityProvider).catch(() => undefined);
    const isGood = claims?.iss === identityProvider && claims?.aud === issuer && claims?.client_id === ctx.oidc.client.clientId;
    if (!isGood || claims.exp * 1000 < Date.now()) return refuse(ctx, "invalid_grant");
    await give(ctx, claims.sub, claims.resource, "jwt_bearer");
  }, ["assertion"]);
  const callback = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/agree/")) return callback(request, response);
    try {
      const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
      if (prompt.name === "login") {
        return await provider.interactionFinished(request, response, { login: { accountId: "ada" } }, { mergeWithLastSubmission: false });
      }
      const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
      for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(" "));
      await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  console.log(issuer);
});

process.stdin.on("end", () => process.exit(0)).resume();
