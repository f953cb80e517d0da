-- CreateTable
CREATE TABLE "CrashDay" (
    "slot" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "deviceId" INTEGER NOT NULL,

    CONSTRAINT "CrashDay_pkey" PRIMARY KEY ("slot","modelId","deviceId")
);

-- What is known of earlier days: the dumps that are still stored.
INSERT INTO "CrashDay" ("slot", "modelId", "deviceId")
    SELECT DISTINCT floor(extract(epoch FROM c."uploadedAt") / 86400)::int, o."modelId", c."deviceId"
    FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId";
