-- The commit that CI built, and the trigger that tells clients of a change.
ALTER TABLE "Firmware" ADD COLUMN "revision" TEXT;

DROP TRIGGER "Firmware_change_changed";
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt", "elfVersion", "warnings", "revision" ON "Firmware"
    WHEN old."modelId" IS NOT new."modelId" OR
    old."version" IS NOT new."version" OR
    old."chip" IS NOT new."chip" OR
    old."elfSha256" IS NOT new."elfSha256" OR
    old."size" IS NOT new."size" OR
    old."uploadedAt" IS NOT new."uploadedAt" OR
    old."elfVersion" IS NOT new."elfVersion" OR
    old."warnings" IS NOT new."warnings" OR
    old."revision" IS NOT new."revision" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Firmware', new."id", NULL, 'CHANGED');
END;
